"""What the reading of a table is not sure of, or did and tells: stable codes, each explained."""

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, Field


class FindingCode(StrEnum):
    """The kinds of findings."""

    GAP_WORD = "gap_word"
    FAR_VALUE = "far_value"
    NEARLY_NUMERIC = "nearly_numeric"
    NEARLY_DATES = "nearly_dates"
    THOUSANDS_AMBIGUOUS = "thousands_ambiguous"
    DECIMAL_AMBIGUOUS = "decimal_ambiguous"
    ENCODING_GUESSED = "encoding_guessed"
    HEADER_DOUBTFUL = "header_doubtful"
    UNITS_ROW = "units_row"
    REPEATED_HEADER = "repeated_header"
    INDEX_COLUMN = "index_column"
    DIGITS_LOST = "digits_lost"
    TRIMMED = "trimmed"
    LOOK_ALIKE = "look_alike"
    ONE_COLUMN = "one_column"
    CODES_AS_NUMBERS = "codes_as_numbers"
    MIXED_TYPES = "mixed_types"
    CONSTANT = "constant"
    DUPLICATE_ROWS = "duplicate_rows"
    ROWS_IN_CELL = "rows_in_cell"
    FOOTER_ROW = "footer_row"
    MERGED_CELLS = "merged_cells"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    OTHER_SHEETS = "other_sheets"


class Finding(BaseModel):
    """One finding: where it is, how often, what was done, and what changes that."""

    code: FindingCode = Field(description="Its kind, explained at `/findings/{code}`.")
    column: str | None = Field(default=None, description="The column; null if it is about the whole table.")
    line: int | None = Field(
        default=None, description="The first line that it is about; for Parquet or a sheet, the first row."
    )
    count: int | None = Field(default=None, description="How many cells, rows or words it is about.")
    detail: str = Field(description="What was found and done, and the field of the upload that changes it.")


class Explanation(NamedTuple):
    """What a code means, and what to do about it."""

    title: str
    meaning: str
    hint: str


EXPLANATIONS: dict[FindingCode, Explanation] = {
    FindingCode.GAP_WORD: Explanation(
        "A word counts as a missing value",
        "Cells hold a word such as NA, None, null or ?, or in a column of numbers an error of a spreadsheet. They "
        "count as missing, in training and in every prediction. Rows without a target are left out of a training.",
        "Send 'gap_words' with the words that shall count as missing in columns of words; [] keeps all of them as "
        "values.",
    ),
    FindingCode.FAR_VALUE: Explanation(
        "A value is far from all others",
        "A number or a date is farther from all others of its column than these are from each other, and one that "
        "programs write where there is no value, such as -999 or 9999-12-31; or a hundred times as far, as by a "
        "mistake. It was kept: means, scaling and straight lines follow it, so that the others may count for next to "
        "nothing.",
        "If it stands for no value, send it in 'gap_words', together with all words that shall go on to count as "
        "missing in columns of words, such as NA: the list replaces the usual one. If it is a mistake, correct it. If "
        "it is right, nothing is to be done.",
    ),
    FindingCode.NEARLY_NUMERIC: Explanation(
        "A column nearly holds numbers",
        "Most cells are numbers, and some are not. A few such cells count as missing; with more of them, the column is "
        "kept as text.",
        "Correct the cells, send them as 'gap_words' so that they count as missing, or send 'kinds' to keep the column "
        "as a category.",
    ),
    FindingCode.NEARLY_DATES: Explanation(
        "A column nearly holds dates",
        "The cells look like dates, but not all of them can be read, or day and month may be meant either way. The "
        "column is kept as it is written; day and month are never swapped.",
        "Send 'kinds' with datetime:dmy (the day first) or datetime:mdy (the month first) for the column, or write its "
        "dates as 2026-01-31.",
    ),
    FindingCode.THOUSANDS_AMBIGUOUS: Explanation(
        "A mark may part thousands or decimals",
        "All numbers with a mark have three digits behind it, as 1,234 has, and nothing else in the table tells what "
        "the mark means.",
        "Send 'thousands' and 'decimal' with the marks that are meant.",
    ),
    FindingCode.DECIMAL_AMBIGUOUS: Explanation(
        "Numbers have two decimal marks",
        "The columns of the table, or the cells of one, have numbers with a decimal point and others with a decimal "
        "comma.",
        "Send 'decimal', and 'thousands' where there are such marks, or write all numbers alike.",
    ),
    FindingCode.ENCODING_GUESSED: Explanation(
        "The encoding was guessed",
        "The file is not UTF-8 and does not say what it is. Its encoding was told from the bytes that are there.",
        "Look at the words in the preview. Send 'encoding' if they are wrong, or save the file as UTF-8.",
    ),
    FindingCode.HEADER_DOUBTFUL: Explanation(
        "The names may be in another line",
        "There are lines above the one that was taken for the names of the columns.",
        "Send 'header' with the number of the line that holds the names, or 'none' together with 'names'.",
    ),
    FindingCode.UNITS_ROW: Explanation(
        "A row holds units",
        "The line below the names holds words such as cm or kg, and the columns hold numbers. The line was skipped.",
        "Nothing has to be done. Send 'header' with the number of the line of names to read everything below it as "
        "rows.",
    ),
    FindingCode.REPEATED_HEADER: Explanation(
        "The names are repeated among the rows",
        "Lines below repeat the names of the columns, as in files that were put together. They were skipped.",
        "Nothing has to be done. Check that the file does not hold the same rows twice.",
    ),
    FindingCode.INDEX_COLUMN: Explanation(
        "A column numbers the rows",
        "The column is a number of the row or an identifier: it says nothing about the target, and a training leaves "
        "it out.",
        "Name the column in 'features' of the training to use it.",
    ),
    FindingCode.DIGITS_LOST: Explanation(
        "Digits are lost",
        "Values have more digits, or moments a finer time, than the numbers of a computer keep. They are rounded.",
        "Send 'kinds' with category or text for the column to keep them as they are written.",
    ),
    FindingCode.TRIMMED: Explanation(
        "Blanks around cells were removed",
        "Words have blanks before or behind them. They were removed, so that the same word is the same value; "
        "predictions do the same.",
        "Nothing has to be done.",
    ),
    FindingCode.LOOK_ALIKE: Explanation(
        "Texts look alike but differ",
        "Names or words hold characters that cannot be seen, or letters in a form of Unicode that only looks like "
        "another. Composed forms are used, and what cannot be seen is removed from names.",
        "Nothing has to be done, unless two values that look alike stay two values: then correct the cells.",
    ),
    FindingCode.ONE_COLUMN: Explanation(
        "The table has one column",
        "No delimiter was found that parts the lines into cells. A model needs a target and at least one more column.",
        "Send 'delimiter' with the character that parts the cells.",
    ),
    FindingCode.CODES_AS_NUMBERS: Explanation(
        "Codes may have become numbers",
        "The column was read as numbers, but is written as codes, versions or telephone numbers often are: 1E5, or "
        "1.10 beside 1.1.",
        "Send 'kinds' with category or text for the column to keep its cells as they are written.",
    ),
    FindingCode.MIXED_TYPES: Explanation(
        "A column mixes types",
        "The column holds values of several types, such as numbers and strings. All are kept as text.",
        "Write one type in all rows, or send 'kinds' for the column.",
    ),
    FindingCode.CONSTANT: Explanation(
        "A column has one value",
        "All cells of the column are the same. Nothing can be learnt from it, and a training leaves it out.",
        "Nothing has to be done.",
    ),
    FindingCode.ROWS_IN_CELL: Explanation(
        "A cell may have swallowed rows",
        "A cell holds lines that look like rows of the table. That is what a quote makes of them that is opened where "
        "it belongs to the text, and closed by another one far below.",
        "Look at the line. If the quotes belong to the text, double them, or send 'quote' none if no cell is quoted.",
    ),
    FindingCode.FOOTER_ROW: Explanation(
        "The last row may be a footer",
        "The last row holds a single cell, or begins with a word such as Total or Source. It was read as a row.",
        "Remove the line and upload the table again, unless it is a row as the others are.",
    ),
    FindingCode.DUPLICATE_ROWS: Explanation(
        "Rows are the same",
        "Some rows are equal to others in every cell. A random split may put the same row into training and test, and "
        "the metrics are too good then.",
        "Remove the copies, unless they are meant.",
    ),
    FindingCode.MERGED_CELLS: Explanation(
        "Cells are merged",
        "Cells of the sheet are merged. A workbook keeps their value in the first cell only, and the others count as "
        "missing.",
        "Unmerge them and write the value into each cell, if it holds for all of them.",
    ),
    FindingCode.FORMULA_WITHOUT_VALUE: Explanation(
        "Formulas have no value",
        "Cells hold a formula whose value is not in the file, as in workbooks that a program wrote. Formulas are never "
        "computed here, so the cells count as missing.",
        "Open the workbook in a spreadsheet program, which computes them, and save it.",
    ),
    FindingCode.OTHER_SHEETS: Explanation(
        "Sheets were not read",
        "The workbook has more than one sheet. Only the first one that can be seen and has cells was read.",
        "Save another sheet as a file of its own to upload it, or move it to the front.",
    ),
}
