"""What the reading of a table found that concerns a training of it."""

from collections.abc import Container, Sequence

from shared.tables.columns import Column
from shared.tables.findings import Finding, FindingCode

_MOST_NOTES = 20
_SENDS = "Send '"
_WHERE = "What is to be sent goes with an upload, or with POST /datasets/{name}/reread; a training does not take it."
_NEARLY = frozenset({FindingCode.NEARLY_NUMERIC, FindingCode.NEARLY_DATES})


def nearly_values(column: Column, findings: Sequence[Finding]) -> Finding | None:
    """Why a column is text or words, where it nearly holds numbers or dates."""
    return next((finding for finding in findings if finding.column == column.name and finding.code in _NEARLY), None)


def clause_of(finding: Finding) -> str:
    """What was found, to stand within a sentence."""
    return f"{finding.detail[:1].lower()}{finding.detail[1:]}".removesuffix(".")


def notes_of(findings: Sequence[Finding], *, target: str, used: Container[str]) -> list[str]:
    """The findings about the target, the used columns and the whole table as notes; first what costs rows."""
    costly, others = [], []
    for finding in findings:
        if finding.column == target and finding.code is FindingCode.GAP_WORD:
            costly.append(_of_lost_rows(finding))
        elif finding.column is None:
            others.append(finding.detail)
        elif finding.column == target or finding.column in used:
            others.append(f"Column {finding.column!r}: {finding.detail}")
    notes = [*costly, *others]
    if left := max(len(notes) - _MOST_NOTES, 0):
        notes = [*notes[:_MOST_NOTES], f"There are {left:,} more findings: the dataset has them."]
    return [*notes, _WHERE] if any(_SENDS in note for note in notes) else notes


def _of_lost_rows(finding: Finding) -> str:
    count = finding.count or 0
    rows = "1 row is" if count == 1 else f"{count:,} rows are"
    return f"{rows} left out, because the target counts as missing there. {finding.detail}"
