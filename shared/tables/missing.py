"""What stands for a missing value in a text file."""

# What pandas takes for missing, and the question mark of older data collections.
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null", "na", "NAN", "Null", "NONE", "none", "?"),
)

# What people and spreadsheets write where a number or a date should be. In a column of words these are words.
NO_VALUE = (
    *("-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", ".", "..", "...", "*", "\\N", "(null)", "nil", "NIL", "Nil"),
    *("unknown", "Unknown", "UNKNOWN", "missing", "Missing", "MISSING", "N.A.", "n.a.", "N/D", "n/d", "ND", "NaT"),
    *("not available", "Not available", "Not Available", "no data", "No data", "N.D.", "n.d.", "k.A.", "k. A."),
    *(":", "\N{HORIZONTAL ELLIPSIS}", "N/V", "n.v.", "#N/D", "#NV", "#N/B", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!"),
    *("#NOMBRE!", "#NOM?", "#NUL!", "#\N{INVERTED EXCLAMATION MARK}DIV/0!", "#\N{INVERTED EXCLAMATION MARK}VALOR!"),
    *("#\N{INVERTED EXCLAMATION MARK}REF!", "#\N{INVERTED EXCLAMATION MARK}NUM!", "#VALORE!", "#RIF!", "#VALOR!"),
    *("#ARG!", "#ADR!", "#LICZBA!", "#WAARDE!", "#VERW!", "#GETAL!", "#DEEL/0!", "#YOK", "#SAYI/0!", "#DE\u011eER!"),
    *(
        "#\u041d/\u0414",
        "#\u0414\u0415\u041b/0!",
        "#\u0417\u041d\u0410\u0427!",
        "#\u0421\u0421\u042b\u041b\u041a\u0410!",
    ),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"),
)

# Days that no calendar has, as some databases write them for no date.
NO_DAY = ("0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00", "00.00.0000", "00/00/0000")

# Blanks around a cell are those of Unicode: `str.strip` and Arrow's `utf8_trim_whitespace` take the same ones, as a
# test sees.
_SPELLED = frozenset(MISSING)


def is_missing(cell: str) -> bool:
    """Whether a cell of text stands for a missing value, whatever blanks are around it."""
    return cell.strip() in _SPELLED
