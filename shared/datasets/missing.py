"""What stands for a missing value in a text file."""

# What pandas takes for missing, and the question mark of older data collections.
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null", "na", "NAN", "Null", "NONE", "none", "?"),
)
