"""What is not worth breaking: what only people read, such as types, log lines and the sentences of errors.

Nor what only describes tables: the migrations make them, and a test compares the two.
"""

import ast
from collections.abc import Iterator

_LOGS = {"log", "_log", "logger"}
# What keywords of these names say is for people, for the type checker or for the migrations.
_SAID = {
    *("description", "title", "summary", "examples", "doc", "what"),
    *("strict", "repr", "frozen", "index", "primary_key", "autoincrement", "server_default"),
}
# Fail points do nothing by themselves: whole processes are made to fail there, by tests that are not run here.
_CALLS = {
    "fail_point",
    *("TypeVar", "NewType", "cast"),
    *("ForeignKey", "Index", "String", "UniqueConstraint", "CheckConstraint"),
}


def is_noise(node: ast.AST) -> bool:
    """Whether no mistake in it would matter."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__tablename__")]) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Expr(value=call) | (ast.Call() as call):
            return _is_log(call) or _named(call) in _CALLS
        case ast.keyword(arg=name):
            return name in _SAID
        case _:
            return False


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node but for types, and what an error says."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]
        case ast.AnnAssign():
            yield from [node.value] if node.value else []
        case ast.Raise(exc=ast.Call() as error):
            yield from (argument for argument in error.args if not isinstance(argument, ast.Constant | ast.BinOp))
            yield from error.keywords
        case _:
            yield from ast.iter_child_nodes(node)


def _is_log(call: ast.expr) -> bool:
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in _LOGS
    )


def _named(call: ast.expr) -> str | None:
    return call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else None
