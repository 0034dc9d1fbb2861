"""Axes with ticks that people read, and what stands around every picture."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.pages.markup import Content, Html, element, together

# A phone is 360 wide: what is drawn so wide has letters that can be read there.
WIDTH = 360
# As many letters as have room beside a row.
_LONGEST_NAME = 17
# Beyond these, a number stands at the end of the axis: what is between two of them must be finite.
_FARTHEST = 1e150
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 4
# Numbers that are closer together have the same place.
_CLOSEST = 1e-9
# Of a longer time only the days are told.
_MOST_HOURS = 72
_MILLION = 1_000_000
_MOST_PLAIN, _LEAST_PLAIN = 1e9, 1e-4


@dataclass(frozen=True)
class Axis:
    """From where to where an axis goes, with the ticks and what stands at them."""

    name: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    def share(self, value: float) -> float:
        """The place of a number: 0 at the lower end, 1 at the upper one; what is beyond stands at the end."""
        return min(max((_bounded(value) - self.low) / (self.high - self.low), 0.0), 1.0)


def axis_of(name: str, values: Iterable[float]) -> Axis:
    """The axis on which all these numbers are, with round ends."""
    low, high = _ends([_bounded(value) for value in values])
    step = _round_up((high - low) / _TICKS)
    first, last = math.floor(low / step + _CLOSEST), math.ceil(high / step - _CLOSEST)
    ticks = [(at * step, tick(at * step, step)) for at in range(first, last + 1)]
    return Axis(name, first * step, last * step, ticks)


def of_metric(name: str, values: Sequence[float]) -> Axis:
    """The axis of a metric: one that is from 0 to 1 does not go beyond."""
    axis = axis_of(name, values)
    beyond = axis.low < 0 or axis.high > 1
    return shares(name) if beyond and all(0 <= value <= 1 for value in values) else axis


def shares(name: str) -> Axis:
    """The axis of what is from 0 to 1."""
    return Axis(name, 0.0, 1.0, [(at / 4, f"{at / 4:g}") for at in range(5)])


def moments(name: str, seconds: Sequence[float]) -> Axis:
    """The axis of moments, given as seconds since 1970 in UTC."""
    low, high = _ends(seconds)
    form = "%Y-%m-%d" if high - low > _MOST_HOURS * 3600 else "%m-%d %H:%M"
    # The outermost texts are about as long as a third of the axis.
    places = [low + (high - low) * share for share in (1 / 6, 1 / 2, 5 / 6)]
    return Axis(name, low, high, [(at, datetime.fromtimestamp(at, UTC).strftime(form)) for at in places])


def tick(value: float, step: float) -> str:
    """A number at an axis, with the digits that tell it from the next one."""
    if value == 0:
        return "0"
    if abs(value) >= _MOST_PLAIN or step < _LEAST_PLAIN:
        return f"{value:.3g}"
    if abs(value) >= _MILLION:
        return f"{value / _MILLION:g}M"
    digits = next((count for count in range(6) if math.isclose(round(step, count), step, rel_tol=1e-6)), 6)
    return f"{value:,.{digits}f}"


def figure(title: str, told: str, *content: Content, height: int, width: int = WIDTH) -> Html:
    """A picture with its title above it; `told` is what it shows, for those who do not see it."""
    picture = element("svg", *content, viewBox=f"0 0 {width} {height}", role="img", aria_label=told, class_="plot")
    return element("figure", element("figcaption", title), picture)


def pictures(*found: Html | None) -> Html | None:
    """Pictures beside each other, or below each other where there is no room."""
    shown = [each for each in found if each is not None]
    return element("div", *shown, class_="pictures") if shown else None


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line."""
    return element("line", x1=_px(x1), y1=_px(y1), x2=_px(x2), y2=_px(y2), class_=class_)


def words(text: str, x: float, y: float, anchor: str, *, full: str | None = None) -> Html:
    """A text that begins (`start`), ends (`end`) or has its middle at a place; `full` is shown to a pointer."""
    title = None if full is None or full == text else element("title", full)
    return element("text", together(title, text), x=_px(x), y=_px(y), text_anchor=anchor)


def rectangle(x: float, y: float, width: float, height: float, *content: Content) -> Html:
    """A filled rectangle; one without a width or a height can still be seen."""
    size = {"width": _px(max(width, 0.5)), "height": _px(max(height, 0.5))}
    return element("rect", *content, x=_px(x), y=_px(y), **size)


def dot(x: float, y: float, class_: str) -> Html:
    """A small filled circle."""
    return element("circle", cx=_px(x), cy=_px(y), r="3.5", class_=class_)


def colour(at: int) -> str:
    """The class of the colour of the so manieth of several things."""
    return f"c{at % 6}"


def fitting(name: str) -> str:
    """A name that has room beside a row."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def path(places: Iterable[tuple[float, float]]) -> str:
    """The places that a line goes through, as SVG has them."""
    return " ".join(f"{_px(x)},{_px(y)}" for x, y in places)


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _bounded(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, -_FARTHEST), _FARTHEST)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    size = max(abs(low), abs(high))
    if high - low > size * _CLOSEST and high - low > 1 / _FARTHEST:
        return low, high
    room = size / 2 if size > 1 / _FARTHEST else 1.0
    return low - room, high + room


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - _CLOSEST))
