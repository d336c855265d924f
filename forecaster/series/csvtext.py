"""CSV text: cells out of a file, or an error that names the row; what they mean is judged elsewhere."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd

from forecaster.errors import DataError

__all__ = ["read_cells", "unreadable"]

MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>"]
"""What counts as an empty cell; in a column that is kept as text only the empty one does."""
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
FAULTS = (OSError, UnicodeError, ValueError, EOFError, csv.Error, zlib.error, lzma.LZMAError)


def read_cells(path: Path, as_text: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """Reads the cells of a CSV file.

    Args:
        path: The file; `.gz`, `.bz2` and `.xz` are unpacked.
        as_text: Columns to keep letter by letter ("001" stays "001").

    Returns:
        The rows that are not empty, labelled by their place below the header from 0 on; how many were empty.

    Raises:
        DataError: No such file, no text, no header, or a row with another number of cells than the header.
    """
    with _faults_told(path):
        header = _header(path)
        try:
            cells = pd.read_csv(
                path, header=0, names=header, index_col=False, dtype=dict.fromkeys(as_text, str),
                keep_default_na=False, na_values={name: [""] if name in as_text else MISSING for name in header},
                skip_blank_lines=False, skipinitialspace=True, low_memory=False,
            )  # fmt: skip
        except pd.errors.ParserError:
            _refuse_ragged(path)
            raise
        empty = cells.isna().all(axis=1)
        cells = cells[~empty] if empty.any() else cells
        if cells.iloc[:, -1].isna().any():
            _refuse_ragged(path)
    return cells, int(empty.sum())


def _header(path: Path) -> list[str]:
    """The names of the columns; the row below it may not have more cells."""
    with _opened(path) as text:
        rows = csv.reader(text, skipinitialspace=True)
        names = [name.strip() for name in next(rows, [])]
        below = next(rows, [])
    if not any(names):
        raise DataError(f"{path}: is empty or begins with an empty line; it needs a header and rows")
    if len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in names[0]), None)):
        raise DataError(
            f"{path}: columns are separated by {other!r}; separate them by commas, and write decimal points"
        )
    if len(below) > len(names):
        _refuse_ragged(path)
    if doubled := [name for place, name in enumerate(names) if name and name in names[:place]]:
        raise DataError(f"{path}: the header has {doubled[0]!r} twice; rename one of the columns")
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def _refuse_ragged(path: Path) -> None:
    """Looks for a row that has another number of cells than the header."""
    with _opened(path) as text:
        rows = csv.reader(text, skipinitialspace=True)
        header = len(next(rows))
        for number, row in enumerate(rows, start=2):
            if row and len(row) != header:
                raise DataError(
                    f"{path}, row {number}: {len(row)} cell{'s' * (len(row) != 1)}, but the header has {header}; write "
                    "one cell a column, in quotes where it has a comma, and a decimal point in numbers"
                )


def _opened(path: Path) -> IO[str]:
    opener: Callable[..., IO[str]] = OPENERS.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8-sig", newline="")


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except FAULTS as error:
        raise unreadable(path, error, "separate columns by commas, and close every quote") from None


def unreadable(path: Path, error: Exception, remedy: str) -> DataError:
    """What to tell about a file that cannot be read as a table."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: no such file; paths are relative to the working directory or the pipeline file")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: is a folder; name the file in it")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read; check its permissions")
    if isinstance(error, UnicodeError):
        return DataError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8")
    return DataError(f"{path}: cannot be read as a table: {str(error).strip()}; {remedy}")
