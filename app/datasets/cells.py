"""Knows how databases, data frames and spreadsheets write what they cannot write as it is."""

import re

# An empty cell: of MySQL and Postgres, of pandas and R, of Python and JavaScript.
NOTHING = frozenset(
    {
        "\\N", "NULL", "Null", "null", "(null)", "NaN", "nan", "NAN", "<NA>", "NA", "N/A", "n/a", "#N/A", "None",
        "none", "nil", "undefined",
    }
)  # fmt: skip
# Of these, the ones that are no text of their own.
NO_TEXT = frozenset({"\\N", "NULL", "(null)", "<NA>", "#N/A"})
# A long number as a spreadsheet shows it. Its last digits are lost.
CUT_OFF = re.compile(r"\d(?:[.,]\d+)?E\+\d\d")
# A whole number of a column that lacks some, as data frames write it.
WITH_POINT = re.compile(r"\d{1,15}\.0", re.ASCII)
EXACT = 2.0**53  # floats are exact below


def id_of_cell(cell: str) -> str | None:
    """Return the id in a cell; None if the cell says that there is none.

    >>> id_of_cell("u-1"), id_of_cell("17850.0"), id_of_cell("NULL")
    ('u-1', '17850', None)
    """
    if cell in NOTHING:
        return None
    return cell[:-2] if cell[-2:] == ".0" and WITH_POINT.fullmatch(cell) else cell


def is_cut_off(cell: str) -> bool:
    """Return whether a cell is a number whose last digits a spreadsheet cut off.

    >>> is_cut_off("1.43322E+12"), is_cut_off("1433220000000")
    (True, False)
    """
    return "E+" in cell and CUT_OFF.fullmatch(cell.strip()) is not None
