"""What stands for a missing value in a text file."""

# What pandas takes for missing, and the question mark of older data collections.
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null", "na", "NAN", "Null", "NONE", "none", "?"),
)

# Blanks around a cell are those of Unicode: `str.strip` and Arrow's `utf8_trim_whitespace` take the same ones, as a
# test sees.
_SPELLED = frozenset(MISSING)


def is_missing(cell: str) -> bool:
    """Whether a cell of text stands for a missing value, whatever blanks are around it."""
    return cell.strip() in _SPELLED
