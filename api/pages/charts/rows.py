"""Pictures with one axis and a row for each thing: bars with whiskers, dots, and a metric beside its baseline."""

from collections.abc import Sequence
from typing import NamedTuple

from api.pages.charts.axes import WIDTH, Axis, axis_of, colour, dot, figure, fitting, line, rectangle, words
from api.pages.markup import Content, Html, element

_NAME_WIDTH = 134
_RIGHT = 16
_TOP = 6
_ROW = 20
_BELOW = 40


class Row(NamedTuple):
    """A thing with its numbers, one for each colour, and how far the first one may be off."""

    name: str
    values: Sequence[float]
    deviation: float = 0.0


class Ranged(NamedTuple):
    """A thing with its number, and the range that it may be in."""

    name: str
    value: float
    range: tuple[float, float] | None = None


def ranges(title: str, told: str, rows: Sequence[Ranged], *, axis: Axis) -> Html:
    """A dot for the number of each row, with whiskers over its range."""
    marks: list[Content] = []
    for at, row in enumerate(rows):
        middle = _middle(at)
        marks.append(line(_NAME_WIDTH, middle, WIDTH - _RIGHT, middle, "grid"))
        if row.range is not None:
            marks += _whiskers(_across(axis, row.range[0]), _across(axis, row.range[1]), middle)
        marks.append(dot(_across(axis, row.value), middle, colour(0)))
    return _drawn(title, told, [Row(row.name, [row.value]) for row in rows], axis, marks)


def bars(title: str, told: str, rows: Sequence[Row], *, axis_name: str) -> Html:
    """A bar from 0 for the first number of each row, with whiskers as long as its deviation."""
    ends = [row.values[0] + sign * row.deviation for row in rows for sign in (-1, 1)]
    axis = axis_of(axis_name, [0.0, *ends])
    marks: list[Content] = []
    for at, row in enumerate(rows):
        middle, value = _middle(at), row.values[0]
        left, right = sorted((_across(axis, 0), _across(axis, value)))
        marks.append(rectangle(left, middle - 6, right - left, 12))
        low, high = value - row.deviation, value + row.deviation
        marks += _whiskers(_across(axis, low), _across(axis, high), middle)
    return _drawn(title, told, rows, axis, [*marks, _upright(axis, 0, len(rows))])


def dots(title: str, told: str, rows: Sequence[Row], *, axis: Axis, at: float | None = None) -> Html:
    """A dot for each number of each row, with a line at the number that they are held against."""
    marks: list[Content] = [None if at is None else _upright(axis, at, len(rows))]
    for place, row in enumerate(rows):
        middle = _middle(place)
        marks.append(line(_NAME_WIDTH, middle, WIDTH - _RIGHT, middle, "grid"))
        marks += [dot(_across(axis, value), middle, colour(index)) for index, value in enumerate(row.values)]
    return _drawn(title, told, rows, axis, marks)


def strip(told: str, value: float, interval: tuple[float, float] | None, baseline: float | None, axis: Axis) -> Html:
    """A metric on an axis of its own: a dot, whiskers for its interval, and a mark where the baseline is."""
    width, height, edge, middle = 220, 34, 14, 10
    across = width - 2 * edge

    def place(number: float) -> float:
        return edge + across * axis.share(number)

    marks: list[Content] = [line(edge, middle, width - edge, middle, "grid")]
    if baseline is not None:
        marks.append(line(place(baseline), 3, place(baseline), 17, "base"))
    if interval is not None:
        marks += _whiskers(place(interval[0]), place(interval[1]), middle)
    marks.append(dot(place(value), middle, colour(0)))
    for end, text in (axis.ticks[0], axis.ticks[-1]):
        marks.append(words(text, place(end), 30, "middle"))
    return element("svg", *marks, viewBox=f"0 0 {width} {height}", role="img", aria_label=told, class_="strip")


def _drawn(title: str, told: str, rows: Sequence[Row], axis: Axis, marks: Sequence[Content]) -> Html:
    bottom = _TOP + _ROW * len(rows)
    around: list[Content] = []
    for value, text in axis.ticks:
        x = _across(axis, value)
        around += [line(x, _TOP, x, bottom, "grid"), words(text, x, bottom + 14, "middle")]
    for at, row in enumerate(rows):
        around.append(words(fitting(row.name), _NAME_WIDTH - 10, _middle(at) + 4, "end", full=row.name))
    around.append(words(axis.name, WIDTH - _RIGHT, bottom + 32, "end"))
    return figure(title, told, *around, *marks, height=bottom + _BELOW)


def _middle(at: int) -> float:
    return _TOP + _ROW * (at + 0.5)


def _across(axis: Axis, value: float) -> float:
    return _NAME_WIDTH + (WIDTH - _NAME_WIDTH - _RIGHT) * axis.share(value)


def _upright(axis: Axis, value: float, rows: int) -> Html:
    return line(_across(axis, value), _TOP, _across(axis, value), _TOP + _ROW * rows, "reference")


def _whiskers(left: float, right: float, y: float) -> list[Html]:
    if right - left < 1:
        return []
    ends = [line(x, y - 3, x, y + 3, "whisker") for x in (left, right)]
    return [line(left, y, right, y, "whisker"), *ends]
