"""How a verb fails; each error knows its sentence and its exit status."""

from typing import Any

from cli.client.fields import option_at
from cli.client.hints import in_verbs

FAILED, WRONG_USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130


class CommandFailed(Exception):
    """The sentence says what happened and how to put it right."""

    status = FAILED

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        # Whether the same call may well go through a little later, and after how many seconds if that was told.
        self.passes = False
        self.retry_after: float | None = None


class Refused(CommandFailed):
    """The API answered with a problem; `problem` is that answer."""

    def __init__(self, problem: dict[str, Any], sentence: str | None = None) -> None:
        super().__init__(sentence or written(problem))
        self.problem = problem

    @property
    def code(self) -> str:
        """The code of the problem."""
        return str(self.problem.get("code"))


class Unreachable(CommandFailed):
    """Nothing that is the API answers at the address."""

    status = UNREACHABLE


class WrongUsage(CommandFailed):
    """The command is wrong, whatever the API would say."""

    status = WRONG_USAGE


class Detached(CommandFailed):
    """The user stopped waiting; the sentence says how to go on."""

    status = INTERRUPTED


def written(problem: dict[str, Any]) -> str:
    """A problem for people: what is wrong, each place of it, and the id under which the API's log has it."""
    detail = str(problem.get("detail") or problem.get("title"))
    places = [f"  {option_at(each['loc'])}: {each['msg']}" for each in _others(problem, detail)]
    lines = [in_verbs(line) for line in (detail, *places)]
    if problem.get("request_id"):
        lines.append(f"  (request {problem['request_id']})")
    return "\n".join(lines)


def _others(problem: dict[str, Any], detail: str) -> list[dict[str, Any]]:
    """What the sentence does not say already: of a single problem it says all."""
    found: list[dict[str, Any]] = problem.get("errors", [])
    return [each for each in found if each["msg"].lower() not in detail.lower()] if len(found) > 1 else []
