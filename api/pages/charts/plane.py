"""Pictures with two axes: lines, points, and counts between edges."""

from collections.abc import Sequence
from typing import NamedTuple

from api.pages.charts.axes import WIDTH, Axis, axis_of, colour, dot, figure, line, path, rectangle, words
from api.pages.markup import Content, Html, element

_HEIGHT = 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 20, 28, 40
# After so many colours the same ones come again, with broken lines.
_COLOURS = 6
_MOST_DOTS = 30


class Polyline(NamedTuple):
    """Places that are joined by a line, from left to right."""

    xs: Sequence[float]
    ys: Sequence[float]


class Reference(NamedTuple):
    """A thin line between two places, to hold the others against."""

    start: tuple[float, float]
    end: tuple[float, float]


DIAGONAL = Reference((0, 0), (1, 1))


def lines(
    title: str,
    told: str,
    drawn: Sequence[Polyline],
    *,
    x: Axis,
    y: Axis,
    reference: Reference | None = None,
    dots: bool = False,
) -> Html:
    """Lines in the colours of their order; `dots` marks the places, if there are not too many."""
    plane = _Plane(x, y)
    marks: list[Content] = [None if reference is None else plane.reference(reference)]
    for at, each in enumerate(drawn):
        places = [plane.place(*pair) for pair in zip(each.xs, each.ys, strict=False)]
        broken = "5 3" if at >= _COLOURS else None
        class_ = f"curve {colour(at)}"
        marks.append(element("polyline", points=path(places), class_=class_, stroke_dasharray=broken))
        if dots and len(places) <= _MOST_DOTS:
            marks += [dot(*place, colour(at)) for place in places]
    return figure(title, told, *plane.frame(), *marks, height=_HEIGHT)


def points(title: str, told: str, found: Sequence[tuple[float, float]], *, x_name: str, y_name: str) -> Html:
    """Points on two axes of the same numbers, with the line on which both are equal."""
    both = [value for pair in found for value in pair]
    x, y = axis_of(x_name, both), axis_of(y_name, both)
    plane = _Plane(x, y)
    equal = plane.reference(Reference((x.low, x.low), (x.high, x.high)))
    marks = [dot(*plane.place(*pair), "point") for pair in found]
    return figure(title, told, *plane.frame(), equal, *marks, height=_HEIGHT)


def trail(
    title: str, told: str, found: Polyline, best: Polyline, *, x: Axis, y: Axis, reference: Reference | None = None
) -> Html:
    """Points one after the other, and a line for the best one until then."""
    plane = _Plane(x, y)
    marks: list[Content] = [None if reference is None else plane.reference(reference)]
    marks += [dot(*plane.place(*pair), "point") for pair in zip(found.xs, found.ys, strict=True)]
    places = path(plane.place(*pair) for pair in zip(best.xs, best.ys, strict=True))
    marks.append(element("polyline", points=places, class_=f"curve {colour(1)}"))
    return figure(title, told, *plane.frame(), *marks, height=_HEIGHT)


def counted(title: str, told: str, edges: Sequence[float], counts: Sequence[int], *, x_name: str, y_name: str) -> Html:
    """Bars for the counts between edges, with a line at 0."""
    x, y = axis_of(x_name, [*edges, 0.0]), axis_of(y_name, [0.0, *counts])
    plane = _Plane(x, y)
    bars = [_bar(plane, low, high, count) for count, low, high in zip(counts, edges, edges[1:], strict=False) if count]
    zero = plane.reference(Reference((0, y.low), (0, y.high)))
    return figure(title, told, *plane.frame(), *bars, zero, height=_HEIGHT)


def _bar(plane: "_Plane", low: float, high: float, count: int) -> Html:
    (left, top), (right, bottom) = plane.place(low, count), plane.place(high, 0)
    said = element("title", f"{low:.4g} to {high:.4g}: {count:,}")
    return rectangle(left, top, right - left - 1, bottom - top, said)


class _Plane:
    """Two axes and where a pair of numbers is between them."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self._x, self._y = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        across, up = WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + across * self._x.share(x), _TOP + up * (1 - self._y.share(y))

    def reference(self, given: Reference) -> Html:
        return line(*self.place(*given.start), *self.place(*given.end), "reference")

    def frame(self) -> list[Html]:
        """Lines and numbers of the ticks, and the names of the axes: that of the upright one above it."""
        found: list[Html] = []
        for value, text in self._x.ticks:
            x, bottom = self.place(value, self._y.low)
            found += [line(x, _TOP, x, bottom, "grid"), words(text, x, bottom + 14, "middle")]
        for value, text in self._y.ticks:
            left, y = self.place(self._x.low, value)
            found += [line(left, y, WIDTH - _RIGHT, y, "grid"), words(text, left - 5, y + 4, "end")]
        found.append(words(self._x.name, WIDTH - _RIGHT, _HEIGHT - 6, "end"))
        return [*found, words(self._y.name, 2, 12, "start")]
