"""How a file is read, and what the reading found, in words."""

from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.client.hints import in_verbs
from cli.render.text import clean, count, data_text

_MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank", ".": "point", "'": "apostrophe"}

_MOST_SHOWN = 5


def reading_text(reading: dict[str, Any]) -> str:
    """A reading as one line; what is as usual is left out."""
    form = str(reading["format"])
    if reading["delimiter"]:
        between = "blanks" if reading["delimiter"] == " " else f"a {_mark(reading, 'delimiter')}"
        form += f" with {between} between cells"
    return ", ".join(
        part
        for part in (
            form,
            f"sheet {data_text(reading['sheet'])}" if reading.get("sheet") else None,
            reading["encoding"],
            reading["compression"],
            f"decimal {_mark(reading, 'decimal')}" if reading.get("decimal") == "," else None,
            f"{_mark(reading, 'thousands')} between thousands" if reading.get("thousands") else None,
            _header(reading),
            _gap_words(reading),
            _kinds(reading),
            "by the rules of an older release" if reading.get("rules") == 1 else None,
        )
        if part
    )


def findings_text(findings: list[dict[str, Any]]) -> RenderableType | None:
    """What the reading is not sure of, or did and tells; nothing where it found nothing."""
    if not findings:
        return None
    text = Text(style="yellow")
    for number, finding in enumerate(findings):
        text.append("\n" if number else "")
        text.append(finding["code"], style="bold")
        text.append(f"{clean(_place(finding))}: {clean(in_verbs(finding['detail']))}")
    return text


def _place(finding: dict[str, Any]) -> str:
    column, line = finding.get("column"), finding.get("line")
    parts = ("" if column is None else f"column {data_text(column)}", "" if line is None else f"line {line}")
    place = ", ".join(filter(None, parts))
    return f" ({place})" if place else ""


def _header(reading: dict[str, Any]) -> str | None:
    if reading.get("names"):
        return "names as given"
    skipped = len(reading.get("skipped_lines") or ())
    more = f", {count(skipped, 'line')} skipped" if skipped else ""
    line = reading.get("header_line")
    return f"names in line {line}{more}" if line is not None and (line > 1 or skipped) else None


def _gap_words(reading: dict[str, Any]) -> str | None:
    words = reading.get("gap_words")
    if words is None:
        return None
    return f"gap words {_first(map(data_text, words))}" if words else "no gap words"


def _kinds(reading: dict[str, Any]) -> str | None:
    kinds = reading.get("kinds")
    return f"kinds {_first(f'{data_text(name)}: {kind}' for name, kind in kinds.items())}" if kinds else None


def _first(texts: Iterable[str]) -> str:
    all_of_them = list(texts)
    more = [f"{len(all_of_them) - _MOST_SHOWN} more"] if len(all_of_them) > _MOST_SHOWN else []
    return f"({', '.join([*all_of_them[:_MOST_SHOWN], *more])})"


def _mark(reading: dict[str, Any], name: str) -> str:
    return _MARKS.get(reading[name], f"'{reading[name]}'")
