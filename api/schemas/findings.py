"""Codes of findings as clients see them."""

from pydantic import Field

from api.schemas.base import ResponseBody
from shared.tables.findings import EXPLANATIONS, FindingCode


class ExplainedFinding(ResponseBody):
    """What one code of a finding means."""

    code: FindingCode = Field(description="The code.", examples=["gap_word"])
    title: str = Field(description="The code in words.", examples=["A word counts as a missing value"])
    explanation: str = Field(description="What it means.")
    hint: str = Field(description="What to do about it.")


class ExplainedFindings(ResponseBody):
    """All codes of findings."""

    items: list[ExplainedFinding] = Field(description="The codes in alphabetical order.")
    next_cursor: None = Field(default=None, description="Always null: all codes are on one page.")


def explained_finding(code: FindingCode) -> ExplainedFinding:
    """What a code of a finding means, for `/findings/{code}`."""
    found = EXPLANATIONS[code]
    return ExplainedFinding(code=code, title=found.title, explanation=found.meaning, hint=found.hint)
