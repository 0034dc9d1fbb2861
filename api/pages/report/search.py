"""How the parameters of the model were sought, and what else was tried."""

from itertools import accumulate

from api.pages.charts.axes import axis_of, of_metric
from api.pages.charts.plane import Polyline, Reference, trail
from api.pages.markup import Content, Html, element, facts
from api.pages.measures import measure
from api.pages.report.parts import Section, beside, named, numbers, section
from api.schemas.model_reports import ModelReport
from shared.evaluation.metric_names import rises
from shared.evaluation.searched import Candidate, Search

_MOST_PARAMETERS = 10
# More points than these would be one upon another.
_MOST_POINTS = 500


def search(report: ModelReport) -> Section | None:
    """What was sought by which means, the scores of the trials as a picture, and the candidates."""
    found = report.search
    if found is None:
        return None
    told = (
        f"Each candidate was fitted to parts of the rows to learn from and ranked by its mean {found.metric} on the "
        "rest of them. The rows that were kept back had no part in it. The best of many is better by chance, too: what "
        "the model is worth stands above."
    )
    more = f"{found.left_out:,} more candidates were tried and are not listed." if found.left_out else None
    return section(
        "search",
        "How its parameters were sought",
        element("p", told),
        _facts(found),
        beside(_picture(found), _table(found)),
        element("p", more) if more else None,
    )


def _facts(found: Search) -> Html:
    return facts(
        ("Method", found.method),
        ("Trials", _trials(found)),
        ("Folds", str(found.folds)),
        ("Took", f"{found.seconds:,.3g} s" + (", and was ended by its time" if found.stopped else "")),
        ("Chosen", _parameters(found.chosen)),
        (f"Mean {found.metric} of the best", measure(found.score)),
        (f"Mean {found.metric} without a search", None if found.defaults is None else measure(found.defaults.mean)),
        ("Told apart from that", None if found.within_noise is None else "no" if found.within_noise else "yes"),
    )


def _trials(found: Search) -> str:
    failed = f", of which {found.trials_failed:,} failed" if found.trials_failed else ""
    return f"{found.trials_done:,} of {found.trials_asked:,}{failed}"


def _table(found: Search) -> Html:
    heads = ["Rank", "Trial", f"Mean {found.metric}", "Deviation", "Rows learned from", "Parameters"]
    rows = [_row(each) for each in found.candidates]
    return numbers("Candidates, the best first", heads, rows)


def _row(candidate: Candidate) -> list[Content]:
    parameters = _parameters(candidate.params)
    return [
        None if candidate.rank is None else str(candidate.rank),
        str(candidate.trial),
        measure(candidate.mean),
        measure(candidate.std),
        f"{candidate.rows:,}",
        parameters if candidate.failure is None else f"{parameters}: {named(candidate.failure)}",
    ]


def _picture(found: Search) -> Html | None:
    """The mean of each trial in their order, the best until then, and what the parameters of the request reach."""
    scores = [(at, score) for at, score in enumerate(found.scores, start=1) if score is not None]
    if len(scores) < 2:
        return None
    xs, ys = [float(at) for at, _ in scores], [score for _, score in scores]
    best = list(accumulate(ys, max if rises(found.metric) else min))
    base = None if found.defaults is None else found.defaults.mean
    x = axis_of("trial", [1.0, float(len(found.scores))])
    y = of_metric(f"mean {found.metric}", ys if base is None else [*ys, base])
    step = -(-len(xs) // _MOST_POINTS)
    told = f"Mean {found.metric} of {len(xs)} trials, from {measure(min(ys))} to {measure(max(ys))}"
    if base is not None:
        told += f"; {measure(base)} without a search"
    return trail(
        "Trials",
        told,
        Polyline(xs[::step], ys[::step]),
        Polyline(xs[::step], best[::step]),
        x=x,
        y=y,
        reference=None if base is None else Reference((x.low, base), (x.high, base)),
    )


def _parameters(values: dict[str, object]) -> str:
    shown = [f"{named(name)} = {named(value)}" for name, value in list(values.items())[:_MOST_PARAMETERS]]
    return ", ".join(shown) + (", …" if len(values) > _MOST_PARAMETERS else "")
