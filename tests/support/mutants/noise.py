"""What is not worth breaking, because only people read it: types, log lines, descriptions, the sentences of errors."""

import ast
from collections.abc import Iterator

_LOGS = {"log", "_log", "logger"}
# What keywords of these names say is said to people, or to the type checker.
_SAID = {"description", "title", "summary", "examples", "doc", "strict", "repr", "frozen", "what"}
_CHECKED_ONLY = {"TYPE_CHECKING"}
_CASTS = {"TypeVar", "NewType", "cast", "overload"}


def worth(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node in which a mistake would matter."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return
        case ast.If(test=ast.Name(id=name)) if name in _CHECKED_ONLY:
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]
        case ast.AnnAssign():
            yield from [node.value] if node.value else []
        case ast.Assign(targets=[ast.Name(id="__all__" | "__tablename__")]):
            return
        case ast.Raise():
            yield from _of_an_error(node)
        case ast.Call() if is_log(node) or getattr(node.func, "id", "") in _CASTS:
            return
        case _:
            yield from (child for child in ast.iter_child_nodes(node) if not is_said(child))


def is_log(node: ast.AST) -> bool:
    """Whether it is a call of a log."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in _LOGS
    )


def is_said(node: ast.AST) -> bool:
    """Whether it is a keyword that is for people or for the type checker."""
    return isinstance(node, ast.keyword) and node.arg in _SAID


def _of_an_error(node: ast.Raise) -> Iterator[ast.AST]:
    """What an error carries besides its sentence."""
    if isinstance(node.exc, ast.Call):
        yield from (argument for argument in node.exc.args if not isinstance(argument, ast.Constant | ast.BinOp))
        yield from (keyword for keyword in node.exc.keywords if not is_said(keyword))
