"""How the values of a column are spread: counts between edges, and shares of values."""

from datetime import UTC, datetime

from api.pages.charts.axes import colour, path
from api.pages.markup import Content, Html, element, together
from shared.tables.compared import BothHistograms
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
            y=f"{_HEIGHT - _scaled(count, most):.1f}",
            width=f"{step - _GAP:.1f}",
            height=f"{_scaled(count, most):.1f}",
        )
        for at, (count, low, high) in enumerate(zip(found.counts, found.edges, found.edges[1:], strict=False))
    ]
    edges = f"{_edge(found.edges[0], moments)} to {_edge(found.edges[-1], moments)}"
    picture = element(
        "svg", *bars, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=f"{label}: {edges}", class_="chart"
    )
    return together(picture, element("p", edges, class_="edges"))


def both_histograms(found: BothHistograms, *, label: str, moments: bool) -> Html:
    """Bars for the shares of one table's values between edges, and over them the outline of the other's."""
    shares, others = ([count / max(sum(counts), 1) for count in counts] for counts in (found.from_, found.to))
    most = max([*shares, *others]) or 1
    step = _WIDTH / len(shares)
    bars: list[Content] = []
    outline = [(0.0, float(_HEIGHT))]
    for at, (share, other) in enumerate(zip(shares, others, strict=True)):
        height, top = _scaled(share, most), _HEIGHT - _scaled(other, most)
        edges = f"{_edge(found.edges[at], moments)} to {_edge(found.edges[at + 1], moments)}"
        size = {"width": f"{step - _GAP:.1f}", "height": f"{height:.1f}"}
        title = element("title", f"{edges}: {share:.1%}, then {other:.1%}")
        bars.append(element("rect", title, x=f"{at * step:.1f}", y=f"{_HEIGHT - height:.1f}", class_="point", **size))
        outline += [(at * step, top), ((at + 1) * step, top)]
    outline.append((float(_WIDTH), float(_HEIGHT)))
    edges = f"{_edge(found.edges[0], moments)} to {_edge(found.edges[-1], moments)}"
    line = element("polyline", points=path(outline), class_=f"curve {colour(1)}")
    view = f"0 0 {_WIDTH} {_HEIGHT}"
    picture = element("svg", *bars, line, viewBox=view, role="img", aria_label=f"{label}: {edges}", class_="chart")
    return together(picture, element("p", edges, class_="edges"))


def both_bars(share: float, other: float) -> Html:
    """A bar as long as one share, and over it a line as long as the other."""
    width = _WIDTH // 2
    return element(
        "svg",
        element("rect", x="0", y="0", width=f"{width * share:.1f}", height="12", class_="point"),
        element("line", x1="0", y1="6", x2=f"{width * other:.1f}", y2="6", class_=f"curve {colour(1)}"),
        viewBox=f"0 0 {width} 12",
        aria_hidden="true",
        class_="bar",
    )


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


def _scaled(part: float, most: float) -> float:
    # What is there at all can be seen.
    return max(_HEIGHT * part / most, 1.0) if part else 0.0


def _edge(value: float, moments: bool) -> str:
    if moments:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
    return f"{value:.6g}"
