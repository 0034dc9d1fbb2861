"""What may be wrong in a line: each function gives the changes of one kind that a node of the syntax tree allows."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from tests.support.mutants.noise import is_noise
from tests.support.mutants.source import Edit, Source

_COMPARISONS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
# Calls of several arguments each of which may be forgotten.
_GATHERING = {"where", "and_", "or_", "order_by", "coalesce", "min", "max", "filter"}
# Links of a chain that may be forgotten without leaving something of another type behind.
_LINKS = {
    *("where", "order_by", "limit", "offset", "with_for_update", "distinct", "on_conflict_do_nothing", "prefix_with"),
    *("strip", "lstrip", "rstrip", "lower", "casefold", "copy", "execution_options", "reshape", "astype"),
}
_WORD = re.compile(r"\S+")

Edits = Iterator[Edit]


def comparisons(source: Source, node: ast.AST) -> Edits:
    """`<` for `<=`, `is` for `is not`, and so on."""
    if isinstance(node, ast.Compare):
        for operator, (left, right) in zip(node.ops, pairwise([node.left, *node.comparators]), strict=True):
            before, after = _COMPARISONS[type(operator)]
            yield from source.between(left, right, before, after)


def arithmetic(source: Source, node: ast.AST) -> Edits:
    """Minus for plus, and so on."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield from source.between(node.left, node.right, *_ARITHMETIC[type(node.op)])
    if isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        before, after = _ARITHMETIC[type(node.op)]
        yield from source.between(node.target, node.value, f"{before}=", f"{after}=")


def conditions(source: Source, node: ast.AST) -> Edits:
    """`or` for `and`, one condition less, none at all, the contrary."""
    if isinstance(node, ast.BoolOp):
        before, after = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            yield from source.between(left, right, before, after)
        yield from _one_less(source, node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield source.cut(source.start(node), source.start(node) + len("not "))
    if isinstance(node, ast.If | ast.IfExp):
        yield source.put(node.test, "True")
        yield source.put(node.test, "False")
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield source.put(test, "True")


def constants(source: Source, node: ast.AST) -> Edits:
    """Another number, the other truth value, another word. Sentences are for people and stay as they are."""
    if isinstance(node, ast.Constant):
        match node.value:
            case bool(value):
                yield source.put(node, str(not value))
            case int(value) | float(value):
                yield source.put(node, repr(value + 1))
            case str(value) if _WORD.fullmatch(value):
                yield source.put(node, json.dumps(f"X{value}X"))
            case bytes(value):
                yield source.put(node, repr(b"X" + value))


def names(source: Source, node: ast.AST) -> Edits:
    """The largest for the smallest, all for any."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        yield source.put(node.func, _NAMES[node.func.id])


def calls(source: Source, node: ast.AST) -> Edits:
    """A keyword, an argument or a link of a chain forgotten."""
    if not isinstance(node, ast.Call):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    given: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=source.start)
    for number, argument in enumerate(given):
        may_go = isinstance(argument, ast.keyword) or (called in _GATHERING and len(given) > 1)
        if may_go and not is_noise(argument):
            yield source.without(given, number)
    if isinstance(node.func, ast.Attribute) and called in _LINKS:
        yield source.cut(source.end(node.func.value), source.end(node))


def members(source: Source, node: ast.AST) -> Edits:
    """One member of a set less, one kind of error less that is caught."""
    if isinstance(node, ast.Set):
        yield from _one_less(source, node.elts)
    if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
        yield from _one_less(source, node.type.elts)


def statements(source: Source, node: ast.AST) -> Edits:
    """A statement that is forgotten, an answer that is not given."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Delete() | ast.Continue() | ast.Break():
            yield source.put(node, "pass")
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Return(value=None):
            yield source.put(node, "pass")
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield source.put(value, "None")
        case _:
            pass


def _one_less(source: Source, nodes: Sequence[ast.expr]) -> Edits:
    if len(nodes) > 1:
        for number in range(len(nodes)):
            yield source.without(nodes, number)


KINDS: tuple[Callable[[Source, ast.AST], Edits], ...] = (
    comparisons,
    arithmetic,
    conditions,
    constants,
    names,
    calls,
    members,
    statements,
)
