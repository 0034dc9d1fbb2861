"""How the columns of a dataset go together, and what makes a target doubtful: a section of the page of a profile."""

from urllib.parse import quote

from api.pages.charts.matrix import shaded
from api.pages.charts.spread import bar
from api.pages.markup import Content, Html, element, link, table, together
from api.schemas.profile import DatasetProfile
from shared.tables.relations import Relations

# The most columns that are offered as a target.
_MOST_LINKS = 30
_HUNDRED = 100


def relations_section(profile: DatasetProfile) -> Html:
    """What was found for a target; without one, the columns that may be one."""
    found = profile.relations
    if found is None:
        return together(element("h2", "Which column will be predicted?"), _links(profile))
    return together(
        element("h2", f"To predict {found.target}"),
        _warnings(found),
        _scores(found),
        element("h2", "Columns that go together"),
        *_correlations(found, profile.rows),
    )


def _links(profile: DatasetProfile) -> Html:
    address = f"/datasets/{profile.name}/profile?version={profile.version}&target="
    names = [column.name for column in profile.columns[-_MOST_LINKS:]]
    links = [element("li", link(name, f"{address}{quote(name, safe='')}")) for name in reversed(names)]
    return together(
        element("p", "With a target, the page tells what goes together, and what makes that target doubtful."),
        element("ul", *links, class_="legend"),
    )


def _warnings(found: Relations) -> Html:
    if not found.warnings:
        return element("p", "Nothing speaks against it.")
    rows: list[list[Content]] = [
        [each.code.value.replace("_", " "), each.column, None if each.count is None else f"{each.count:,}", each.detail]
        for each in found.warnings
    ]
    return table("What makes it doubtful", ["Warning", "Column", "Count", "What was found, and what to do"], rows)


def _scores(found: Relations) -> Html | None:
    if not found.scores:
        return None
    rows: list[list[Content]] = [
        [each.column, f"{each.score:.3f}", bar(round(each.score * _HUNDRED), _HUNDRED)] for each in found.scores
    ]
    return table("How well one column alone predicts it", ["Column", "Score", "0 to 1"], rows)


def _correlations(found: Relations, rows_of_table: int) -> list[Content]:
    matrix = found.matrix
    if matrix is None:
        return [element("p", "There are no two columns of numbers to compare.")]
    rows: list[list[Content]] = [
        [" and ".join(each.columns), f"{each.pearson:.3f}", f"{each.spearman:.3f}", f"{each.rows:,}"]
        for each in found.correlations
    ]
    looked_at = found.rows_looked_at
    of = "all rows" if looked_at >= rows_of_table else f"{looked_at:,} rows, evenly taken"
    return [
        element("p", f"Of {of}. Spearman is the correlation of the ranks."),
        shaded("Correlations of ranks", matrix.columns, matrix.spearman),
        table("Pairs that go together most", ["Columns", "Pearson", "Spearman", "Rows with both"], rows),
    ]
