"""CSV text: cells out of a file, or an error that names the row; what they mean is judged elsewhere."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.csvformat import CsvFormat, heeded

__all__ = ["MISSING", "encoding_of", "header_of", "read_cells", "unchanged", "unreadable"]

MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>"]
"""What counts as an empty cell; in a column that is kept as text only the empty one does."""
FAULTS = (
    OSError, UnicodeError, ValueError, EOFError, csv.Error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip
OTHERS = {
    b"PAR1\x15": "is a Parquet file, not CSV; say `source: parquet` in the pipeline file, or write it as CSV",
    b"PK\x03\x04": "is an Excel workbook or a zip archive; save the sheet as CSV, or name an archive of one CSV file "
    "{name}.zip",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; save the sheet as CSV",
    b"\x1f\x8b": "is packed with gzip; name it {name}.gz",
    b"\xfd7zXZ\0": "is packed with xz; name it {name}.xz",
    **dict.fromkeys((b"BZh%d1AY&SY" % size for size in range(1, 10)), "is packed with bzip2; name it {name}.bz2"),
}
"""What is no text: how it begins, what it is and what to do."""
PLAIN = CsvFormat()
BLOCK = 1 << 22


def _open_zip(path: Path, mode: str = "rb") -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        if len(names := archive.namelist()) != 1:
            raise DataError(f"{path}: holds {len(names)} files; pack one CSV file alone")
        return archive.open(names[0])


OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zip": _open_zip,
}  # fmt: skip


def read_cells(
    path: Path, as_text: Sequence[str], style: CsvFormat = PLAIN, ignore: Sequence[str] = ()
) -> tuple[pd.DataFrame, int]:
    """Reads the cells of a CSV file.

    Args:
        path: The file; `.gz`, `.bz2`, `.xz` and `.zip` are unpacked.
        as_text: Columns to keep letter by letter ("001" stays "001").
        style: How it is written.
        ignore: Columns that nobody looks at.

    Returns:
        The rows that are not empty, labelled by their place below the header from 0 on; how many were empty.

    Raises:
        DataError: No such file, no text, no header, or a row with another number of cells than the header.
    """
    with unchanged(path), _faults_told(path, style):
        header = header_of(path, style)
        _refuse_nul(path, style)
        try:
            cells = pd.read_csv(
                path, header=0, names=header, index_col=False, dtype=dict.fromkeys(as_text, str),
                keep_default_na=False, na_values={name: [""] if name in as_text else MISSING for name in header},
                skip_blank_lines=False, skipinitialspace=True, low_memory=False,
                sep=style.separator, decimal=style.decimal, encoding=encoding_of(path, style),
            )  # fmt: skip
        except pd.errors.ParserError as error:
            _refuse_open_quote(path, error)
            _refuse_ragged(path, style)
            raise
        empty = cells.isna().all(axis=1)
        cells = cells[~empty] if empty.any() else cells
        if cells.iloc[:, -1].isna().any():
            _refuse_ragged(path, style)
    if not style.plain_numbers:
        cells = style.rewritten(cells, {*as_text, *ignore}, str(path))
    return cells, int(empty.sum())


def encoding_of(path: Path, style: CsvFormat) -> str:
    """The encoding of a file's text: what its byte order mark says, else what was told.

    Raises:
        DataError: It cannot be opened, or is no text at all.
    """
    with _faults_told(path, style), OPENERS.get(path.suffix, open)(path, "rb") as file:
        begin = file.read(16)
    for mark, told in OTHERS.items():
        if begin.startswith(mark):
            raise DataError(f"{path}: {told.format(name=path.name)}")
    return heeded(begin[:4], style.encoding)


def header_of(path: Path, style: CsvFormat = PLAIN) -> list[str]:
    """The names of the columns; the row below it may not have more cells.

    Raises:
        DataError: There is none, a name is there twice, or the columns are separated otherwise.
    """
    with unchanged(path), _faults_told(path, style):
        with _opened(path, style) as text:
            rows = csv.reader(text, delimiter=style.separator, skipinitialspace=True)
            names = [name.strip() for name in next(rows, [])]
            below = next(rows, [])
        if not any(names):
            raise DataError(f"{path}: is empty or begins with an empty line; it needs a header and rows")
        _refuse_separator(path, names, style)
        if len(below) > len(names):
            _refuse_ragged(path, style)
    if doubled := [name for place, name in enumerate(names) if name and name in names[:place]]:
        raise DataError(f"{path}: the header has {doubled[0]!r} twice; rename one of the columns")
    return [name or f"Unnamed: {place}" for place, name in enumerate(names)]


def _refuse_separator(path: Path, names: Sequence[str], style: CsvFormat) -> None:
    if len(names) == 1 and (other := next((mark for mark in ";\t|," if mark in names[0]), None)):
        raise DataError(
            f"{path}: columns are separated by {other!r}, not by {style.separator!r}; write `separator: "
            f'"{other.encode("unicode_escape").decode()}"` (and `decimal: ","` where numbers have decimal commas), or '
            "separate them by commas, and write decimal points"
        )


def _refuse_open_quote(path: Path, error: Exception) -> None:
    if found := re.search(r"EOF inside string starting at row (\d+)", str(error)):
        raise DataError(
            f"{path}, row {int(found[1]) + 1}: cannot be read as a table: a quote begins here that never ends; close "
            "every quote"
        )


def _refuse_nul(path: Path, style: CsvFormat) -> None:
    """Looks for a NUL byte, where a parser in C would end the cell."""
    if codecs.lookup(encoding_of(path, style)).name.startswith(("utf-16", "utf-32")):
        return
    row = 1
    with OPENERS.get(path.suffix, open)(path, "rb") as file:
        while block := file.read(BLOCK):
            if (place := block.find(b"\0")) >= 0:
                row += block.count(b"\n", 0, place)
                raise DataError(
                    f"{path}, row {row}: has a NUL byte, so the file is damaged or no text; save it as UTF-8 text "
                    'again, or write `encoding: "utf-16"` where it is that'
                )
            row += block.count(b"\n")


def _refuse_ragged(path: Path, style: CsvFormat) -> None:
    """Looks for a row that has another number of cells than the header."""
    with _opened(path, style) as text:
        rows = csv.reader(text, delimiter=style.separator, skipinitialspace=True)
        header = len(next(rows))
        for number, row in enumerate(rows, start=2):
            if row and len(row) != header:
                raise DataError(
                    f"{path}, row {number}: {len(row)} cell{'s' * (len(row) != 1)}, but the header has {header}; write "
                    "one cell a column, in quotes where it has a comma, and a decimal point in numbers"
                )


def _opened(path: Path, style: CsvFormat) -> IO[str]:
    opener: Callable[..., IO[bytes]] = OPENERS.get(path.suffix, open)
    return io.TextIOWrapper(opener(path, "rb"), encoding=encoding_of(path, style), newline="")


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Refuses a file that changes while it is read.

    Raises:
        DataError: Its size or time of change is another afterwards.
    """
    before = _state(path)
    yield
    if _state(path) != before:
        raise DataError(f"{path}: changed while it was read; read a copy, or wait until it is written")


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@contextmanager
def _faults_told(path: Path, style: CsvFormat) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise _wrong_encoding(path, style, error) from None
    except FAULTS as error:
        raise unreadable(path, error, "separate columns by commas, and close every quote") from None


def _wrong_encoding(path: Path, style: CsvFormat, error: UnicodeError) -> DataError:
    name = encoding_of(path, style)
    name = "UTF-8" if codecs.lookup(name).name.startswith("utf-8") else name
    return DataError(
        f"{path}: is not {name} text ({error}); save it as UTF-8, or say `encoding:` (latin-1, cp1252, utf-16, …)"
    )


def unreadable(path: Path, error: Exception, remedy: str, what: str = "a table") -> DataError:
    """What to tell about a file that cannot be read as what it should be."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: no such file; paths are relative to the working directory or the pipeline file")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: is a folder; name the file in it")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read; check its permissions")
    return DataError(f"{path}: cannot be read as {what}: {str(error).strip()}; {remedy}")
