"""Tables as people really have them: which files show a situation, and what is right to do with them.

The files are in `tests/tables`. What is read from each, value for value, is in `expected.json` there; the table of
`docs/reading.md` is made from this list.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from shared.tables.findings import EXPLANATIONS, FindingCode

FOLDER = Path(__file__).parents[1] / "tables"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())


class TableCase(NamedTuple):
    """A situation, what is done ("read", or the code of the finding or error that tells it), and its files."""

    situation: str
    outcome: str
    files: tuple[str, ...]


def _case(situation: str, outcome: str, files: str) -> TableCase:
    return TableCase(situation, outcome, tuple(files.split()))


CASES = (
    # Words for a missing value
    _case(
        "A category `NA` (Namibia) in CSV",
        "gap_word",
        "a1_namibia.csv a7_rows.csv",
    ),
    _case(
        "A target class that is spelled `None`",
        "gap_word",
        "a2_sleep.csv",
    ),
    _case(
        "`?` in a column of words",
        "gap_word",
        "a5_qmark.csv",
    ),
    _case(
        "`NA` in JSON Lines, where strings are strings",
        "read",
        "a7_namibia.jsonl",
    ),
    _case(
        "Empty cells in a column of words",
        "read",
        "a9_gap_forms.csv",
    ),
    _case(
        "A category `missing` beside empty cells",
        "read",
        "b6_missing_word.csv b8_missing_word.csv",
    ),
    _case(
        "A category with a name that the encoder uses itself",
        "read",
        "b7_infrequent.csv",
    ),
    _case(
        "An error of a spreadsheet in a column of numbers",
        "gap_word",
        "e10_excel_errors.csv e27_bad_cell_few.csv",
    ),
    _case(
        "Days such as `0000-00-00` among dates",
        "gap_word",
        "e25_zero_dates.csv",
    ),
    # The line of names
    _case(
        "No line of names",
        "header_doubtful",
        "b2_adult.data min_b2.csv d4_german.data d4_autompg.data",
    ),
    _case(
        "A title above the names",
        "header_doubtful",
        "c2_title.csv min_c2.csv",
    ),
    _case(
        "Comment lines above the names",
        "header_doubtful",
        "c3_comments.csv",
    ),
    _case(
        "Lines of metadata with as many delimiters above the names",
        "header_doubtful",
        "c19_world_bank.csv",
    ),
    _case(
        "Blank lines above the names",
        "read",
        "c23_leading_blank.csv min_c23.csv",
    ),
    _case(
        "A row of units below the names",
        "units_row",
        "c4_units.csv",
    ),
    _case(
        "A first line `sep=;`",
        "read",
        "c6_sep_two.csv c6_sep_three.csv c6_sep_comma.csv min_c6.csv",
    ),
    _case(
        "One name twice, also but for blanks",
        "duplicate_columns",
        "c10_dup.csv c10_dup_space.csv",
    ),
    _case(
        "Row names of R",
        "invalid_table",
        "c11_rownames.csv c12_rownames_blank.csv min_c12.csv",
    ),
    _case(
        "Names that are digits, or hold brackets, quotes, commas and line ends",
        "read",
        "c15_digit_names.csv c16_special_names.csv",
    ),
    _case(
        "Names that begin as binary files, JSON or HTML do",
        "read",
        "m1_orcid.csv min_m1.csv m4_id.csv m5_arrow1.csv m6_bracket.csv m7_lt.csv m8_brace.csv m9_hash.csv "
        "m10_orc1.csv",
    ),
    _case(
        "Names that differ in upper case only",
        "read",
        "c25_case.csv",
    ),
    # Columns that number the rows
    _case(
        "A first column that numbers the rows",
        "index_column",
        "c8_index_mixed.csv c8_index_numeric.csv c8_unnamed0_mixed.csv c13_id_mixed.csv c13_id_numeric.csv",
    ),
    # Letters
    _case(
        "Letters in parts (NFD)",
        "look_alike",
        "c17_nfd.csv",
    ),
    _case(
        "Blanks that do not break, a name with a character that nobody sees",
        "look_alike",
        "c18_nbsp.csv",
    ),
    _case(
        "A second byte order mark within the file",
        "read",
        "c20_bom_middle.csv",
    ),
    _case(
        "Windows-1252 with € and dashes",
        "encoding_guessed",
        "f1_cp1252.csv f1_cp1252_header.csv min_f1.csv",
    ),
    _case(
        "UTF-8 with a broken byte",
        "reading_refused",
        "f2_broken_byte.csv min_f2.csv",
    ),
    _case(
        "A byte order mark, quoted names, CRLF",
        "read",
        "f3_bom.csv",
    ),
    _case(
        "UTF-16 with a mark",
        "read",
        "f4_utf16.csv",
    ),
    _case(
        "UTF-16 without a mark",
        "reading_refused",
        "f4_utf16_nobom.csv",
    ),
    # Cells
    _case(
        "A blank behind each comma",
        "trimmed",
        "b1_adult.csv",
    ),
    _case(
        "Categories that differ in upper case only",
        "read",
        "b5_case.csv",
    ),
    _case(
        "Decimal commas in a file with semicolons, a comma in a name",
        "read",
        "d1_tie.csv min_d1.csv d9_quoted_names.csv d10_three.csv e32_de_target.csv",
    ),
    _case(
        "A pipe as delimiter, commas in the cells",
        "read",
        "d12_pipe_comma.psv",
    ),
    _case(
        "Lists and dates with commas in a file with semicolons",
        "read",
        "d2_lists.csv d3_commas_in_dates.csv",
    ),
    _case(
        "Semicolons within the cells of a file with commas",
        "read",
        "d6_entities.csv",
    ),
    _case(
        "Cells parted by blanks",
        "read",
        "d4_fixed.txt d4_space_header.txt",
    ),
    _case(
        "A delimiter at the end of all rows, of the names, or of both",
        "read",
        "d7_trail_both.csv d7_trail_header.csv d7_trail_rows.csv",
    ),
    _case(
        "A delimiter at the end of some rows",
        "invalid_table",
        "d7_trail_some.csv min_d7.csv",
    ),
    _case(
        "Rows with too few or too many cells",
        "invalid_table",
        "c22_short_rows.csv g7_ragged.csv g7_ragged_more.csv",
    ),
    _case(
        "A footer of words",
        "invalid_table",
        "g12_footer_text.csv",
    ),
    _case(
        "A row of totals",
        "footer_row",
        "g12_footer.csv",
    ),
    _case(
        "Rows of delimiters only",
        "read",
        "g11_blank_tail.csv",
    ),
    _case(
        "An inch mark within a cell",
        "read",
        "g1_inch.csv",
    ),
    _case(
        "A quote that closes before the cell ends",
        "invalid_table",
        "g2_start_quote.csv min_g2.csv",
    ),
    _case(
        "Line ends of both kinds within quotes",
        "read",
        "g3_newlines.csv",
    ),
    _case(
        "Quotes that are escaped with a backslash",
        "read",
        "g4_backslash.csv g4_backslash_nocomma.csv min_g4.csv",
    ),
    _case(
        "Lines that end with CR",
        "read",
        "g5_cr.csv",
    ),
    _case(
        "A quote that is never closed",
        "invalid_table",
        "g8_open.csv",
    ),
    _case(
        "Cells in single quotes",
        "reading_refused",
        "g9_single.csv",
    ),
    _case(
        "Ctrl-Z at the end",
        "read",
        "g10_ctrl_z.csv",
    ),
    _case(
        "Formulas that keep codes as text",
        "read",
        "g13_formula.csv",
    ),
    # Numbers
    _case(
        "Thousands with points, decimals with a comma",
        "read",
        "e1_de_thousands.csv e2_de_int_thousands.csv min_e2.csv",
    ),
    _case(
        "Thousands with commas, decimals with a point",
        "read",
        "e3_us_thousands.psv",
    ),
    _case(
        "`1,234` and `999`, and nothing else tells what the comma is",
        "thousands_ambiguous",
        "e3_us_thousands.tsv min_e3.tsv",
    ),
    _case(
        "Plus signs, powers of ten, points at the edge",
        "read",
        "e6_plus.csv e6_plus_exp.csv e6_plus_int.csv min_e6.csv e8_points.csv e28_svm_labels.csv",
    ),
    _case(
        "`1,5E-05`",
        "read",
        "e7_comma_exp.csv min_e7.csv",
    ),
    _case(
        "Dollars and percent, accountants' parentheses",
        "read",
        "e9_money.csv e26_price_few.csv e13_accounting.csv",
    ),
    _case(
        "Whole numbers beyond 2^53, with and without gaps",
        "read",
        "e14_bigint_target.csv e14_bigint_target_gap.csv e14_three_labels.csv e14_three_labels_gap.csv "
        "e14_ids_gap.jsonl",
    ),
    _case(
        "Whole numbers with gaps",
        "read",
        "e16_int.csv e16_int_gap.csv e34_float_ints.csv e29_float_labels.csv",
    ),
    _case(
        "Codes with leading zeros",
        "read",
        "e17_zip.csv e22_hours.csv i6_codes_target.csv",
    ),
    _case(
        "Booleans in words",
        "read",
        "e18_bools.csv",
    ),
    _case(
        "Infinities and NaN",
        "gap_word",
        "e19_inf.csv p3_one_bad_group.parquet",
    ),
    _case(
        "`<0.5` among numbers",
        "nearly_numeric",
        "e20_censored.csv",
    ),
    _case(
        "Telephone numbers, `1E5`, versions `1.10` beside `1.1`",
        "codes_as_numbers",
        "e35_phone.csv e36_exp_codes.csv e37_versions.csv",
    ),
    # Dates
    _case(
        "Nine ways to write a day",
        "nearly_dates",
        "e21_dates.csv",
    ),
    _case(
        "Days with and without a time",
        "read",
        "e30_year_first_chunk.csv i9_when.csv",
    ),
    _case(
        "Blood pressure, durations, fractions, units in the cells",
        "nearly_dates",
        "e31_misc.csv",
    ),
    # Typed files
    _case(
        "JSON Lines: strings and numbers in one column",
        "mixed_types",
        "h1_mixed.jsonl h9_bool_int.jsonl",
    ),
    _case(
        "JSON Lines: strings that spell numbers",
        "nearly_numeric",
        "h5_ids.jsonl h6_string_numbers.jsonl i6_codes_target.jsonl",
    ),
    _case(
        "JSON Lines: NaN, one array, nested objects",
        "invalid_table",
        "h2_nan.jsonl h3_array.json h4_nested.jsonl",
    ),
    _case(
        "JSON Lines: a mark and CRLF, an empty string, whole and other numbers",
        "read",
        "h7_crlf.jsonl h8_empty.jsonl h10_int_float.jsonl",
    ),
    _case(
        "Parquet: all plain types, integers beyond 64 bits",
        "nearly_numeric",
        "p1_types.parquet p8_uint64_labels.parquet",
    ),
    _case(
        "Parquet: binary, duration, time, list, struct, period, other extensions",
        "invalid_table",
        "p2_binary.parquet p2_duration.parquet p2_interval.parquet p2_json.parquet p2_list.parquet "
        "p2_period.parquet p2_struct.parquet p2_time.parquet p2_uuid.parquet",
    ),
    _case(
        "Parquet: Brotli and Zstandard, codes as strings",
        "read",
        "p4_brotli.parquet p4_zstd.parquet p6_int_codes.parquet",
    ),
    _case(
        "Parquet: one name twice",
        "duplicate_columns",
        "p5_dup.parquet",
    ),
    _case(
        "A ZIP archive that is named `.csv`",
        "invalid_table",
        "k1_book.csv",
    ),
    # Values that stand for none
    _case(
        "Numbers such as -999 and 3.4e38, or the day 9999-12-31, where there is no value",
        "far_value",
        "n1_codes.csv n2_open_end.csv",
    ),
    # Plain tables
    _case(
        "Plain tables",
        "read",
        "i8_wine.csv i10_mixed.csv j1_a.csv j1_b.csv",
    ),
)


def cases_table() -> list[str]:
    """The lines of the table in `docs/reading.md`."""
    rows = [f"| {case.situation} | {_told(case)} | {len(case.files)} |" for case in CASES]
    return ["| Table | What is done | Files |", "|---|---|---|", *rows]


def findings_table() -> list[str]:
    """The lines of the table of codes there."""
    rows = [f"| `{code.value}` | {EXPLANATIONS[code].title} |" for code in FindingCode]
    return ["| Code | Means |", "|---|---|", *rows]


def _told(case: TableCase) -> str:
    if case.outcome == "read":
        return "read"
    refused = "refused" in EXPECTED[case.files[0]]
    return f"{'refused' if refused else 'read and told'}: `{case.outcome}`"
