"""Large CSV files by pyarrow: the same cells as `csvtext` gives, or none, and then that one reads and judges."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pandas as pd

from forecaster.series.columns import Columns
from forecaster.series.csvformat import CsvFormat
from forecaster.series.csvtext import MISSING, encoding_of, header_of, unchanged

__all__ = ["FROM_SIZE", "fast_cells"]

FROM_SIZE = 1 << 20
"""Bytes; below, nobody would notice."""
BLOCK = 1 << 23
PACKED = (".xz", ".zip")


def fast_cells(path: Path, columns: Columns, time_format: str | None, style: CsvFormat) -> pd.DataFrame | None:
    """The used columns of a large, plain file: ids (and stamps in a format of their own) as categories.

    Args:
        path: The file.
        columns: Which column plays which part.
        time_format: As `parse_stamps`.
        style: How the file is written.

    Returns:
        None where pyarrow is not installed, the file is small, or anything about it is odd: empty lines, an empty
        id or stamp, text among numbers, a column more or less than declared.
    """
    try:
        from pyarrow import ArrowException
    except ImportError:
        return None
    if not _serves(path, style):
        return None
    wanted = [*columns.labels, columns.time, columns.target, *columns.covariates]
    header = header_of(path, style)
    known = {*wanted, *columns.ignore} >= {*header} >= {*wanted} and len({*wanted}) == len(wanted)
    if not known or any("\n" in name for name in header):
        return None
    texts = columns.labels
    try:
        with unchanged(path):
            table = _read(path, header, wanted, [*texts, *([columns.time] if time_format else [])], style, columns.time)
            if not _plain_stamps(table, columns.time):
                table = _read(path, header, wanted, [*texts, columns.time], style, columns.time)
    except (ArrowException, OSError, UnicodeError):
        return None
    if _odd(table, columns):
        return None
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True, date_as_object=False)
    return frame


def _serves(path: Path, style: CsvFormat) -> bool:
    """Whether a file is large, and written as pyarrow reads it."""
    large = path.is_file() and path.stat().st_size >= FROM_SIZE
    plain = large and path.suffix not in PACKED and style.plain_numbers
    return plain and codecs.lookup(encoding_of(path, style)).name.startswith("utf-8")


def _plain_stamps(table: Any, time: str) -> bool:
    """Whether stamps need no second look as text: whole numbers, or dates without a zone."""
    from pyarrow import types

    kind = table.schema.field(time).type
    dated = types.is_date(kind) or (types.is_timestamp(kind) and kind.tz is None)
    return dated or types.is_int64(kind) or types.is_dictionary(kind) or types.is_floating(kind)


def _read(path: Path, header: list[str], wanted: list[str], texts: list[str], style: CsvFormat, time: str) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    kinds = {name: pa.float64() for name in wanted}
    kinds |= {name: pa.dictionary(pa.int32(), pa.string()) for name in texts}
    if time not in texts:
        del kinds[time]  # pyarrow finds out
    batches = csv.open_csv(  # batch by batch: reading the whole at once takes twice the memory
        path,
        csv.ReadOptions(column_names=header, skip_rows=1, block_size=BLOCK),
        csv.ParseOptions(delimiter=style.separator, ignore_empty_lines=False),
        csv.ConvertOptions(column_types=kinds, include_columns=wanted, null_values=MISSING, strings_can_be_null=False),
    )
    return batches.read_all().unify_dictionaries()


def _odd(table: Any, columns: Columns) -> bool:
    """Whether an id or a stamp is missing, or is text that the other reader would see with other eyes."""
    import pyarrow as pa

    if not len(table) or table[columns.time].null_count:
        return True
    for name in {*columns.labels, columns.time} & {*table.column_names}:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            words = column.chunk(0).dictionary.to_pylist()
            if any(word in ("", *MISSING[1:]) or word[:1].isspace() or "\0" in word for word in words):
                return True
    return False
