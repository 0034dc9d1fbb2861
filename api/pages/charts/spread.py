"""How the values of a column are spread: counts between edges, and shares of values."""

from datetime import UTC, datetime

from api.pages.markup import Html, element, together
from shared.tables.spread import Histogram, ValueCount

_WIDTH, _HEIGHT = 320, 80
_GAP = 1


def histogram(found: Histogram, *, label: str, moments: bool) -> Html:
    """Bars for the counts between edges, with the lowest and the highest edge below."""
    most = max(found.counts, default=0) or 1
    step = _WIDTH / max(len(found.counts), 1)
    bars = [
        element(
            "rect",
            element("title", f"{_edge(low, moments)} to {_edge(high, moments)}: {count:,}"),
            x=f"{at * step:.1f}",
            y=f"{_HEIGHT - _height(count, most):.1f}",
            width=f"{step - _GAP:.1f}",
            height=f"{_height(count, most):.1f}",
        )
        for at, (count, low, high) in enumerate(zip(found.counts, found.edges, found.edges[1:], strict=False))
    ]
    edges = f"{_edge(found.edges[0], moments)} to {_edge(found.edges[-1], moments)}"
    picture = element(
        "svg", *bars, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=f"{label}: {edges}", class_="chart"
    )
    return together(picture, element("p", edges, class_="edges"))


def bar(count: int, most: int) -> Html:
    """One bar as long as the share of a count."""
    length = _WIDTH * count / max(most, 1) / 2
    return element(
        "svg",
        element("rect", x="0", y="0", width=f"{length:.1f}", height="12"),
        viewBox=f"0 0 {_WIDTH // 2} 12",
        aria_hidden="true",
        class_="bar",
    )


def most_of(counts: list[ValueCount]) -> int:
    """The highest of some counts."""
    return max((each.count for each in counts), default=0)


def _height(count: int, most: int) -> float:
    # What is there at all can be seen.
    return max(_HEIGHT * count / most, 1.0) if count else 0.0


def _edge(value: float, moments: bool) -> str:
    if moments:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
    return f"{value:.6g}"
