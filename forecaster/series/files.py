"""CSV and Parquet files: pandas parses, `table` judges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.panel import Panel
from forecaster.series.table import Columns, panel_from_frame

__all__ = ["data_hash", "read_csv", "read_parquet"]


def read_csv(
    path: str | Path,
    *,
    id: str | None = None,
    time: str = "ds",
    target: str = "y",
    past: Sequence[str] = (),
    known: Sequence[str] = (),
    static: Sequence[str] = (),
    ignore: Sequence[str] = (),
    freq: str | int | None = None,
    missing: Literal["mask", "error"] = "mask",
    clock: Literal["auto", "shared", "own"] = "auto",
    time_format: str | None = None,
) -> Panel:
    """Reads a CSV file in long form: one row a series and time stamp, with a header.

    Args:
        path: The file; `.gz` and the like are unpacked.
        id: Column that names the series; None for one series.
        time: Column of time stamps (ISO 8601, or in `time_format`) or whole numbers.
        target: Column to forecast.
        past: Covariates that are known up to the cutoff.
        known: Covariates that are known over the horizon.
        static: Covariates with one value a series.
        ignore: Columns to leave out; any other column must be declared.
        freq: Pandas alias, exchange code (XNYS) or whole step; None infers it.
        missing: `mask` keeps gaps as missing values, `error` refuses them.
        clock: Whether the series share their time; `auto`: those with whole-number stamps do not.
        time_format: `strptime` format of the stamps.

    Returns:
        The checked panel.

    Raises:
        DataError: Names file, row, column and remedy.
    """
    path = Path(path)
    try:
        frame = pd.read_csv(path, dtype={id: str} if id else None, skipinitialspace=True, low_memory=False)
    except (OSError, UnicodeError, ValueError) as error:
        raise _unreadable(path, error) from None
    columns = Columns(id, time, target, past, known, static, ignore)
    return panel_from_frame(
        frame, columns, freq=freq, missing=missing, clock=clock, time_format=time_format, source=str(path), first_row=2
    )


def read_parquet(path: str | Path, **options: Any) -> Panel:
    """Reads a Parquet file in long form (needs the extra `parquet`); options and errors as `read_csv`."""
    path = Path(path)
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise DataError(f"{path}: Parquet needs pyarrow; install forecaster[parquet]") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    columns = Columns(**{key: options.pop(key) for key in list(options) if key in Columns.__dataclass_fields__})
    return panel_from_frame(frame, columns, source=str(path), **options)


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: no such file; paths are relative to the working directory or the pipeline file")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: is a folder; name the file in it")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read; check its permissions")
    if isinstance(error, pd.errors.EmptyDataError):
        return DataError(f"{path}: is empty; it needs a header and rows")
    if isinstance(error, UnicodeError):
        return DataError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8")
    return DataError(f"{path}: cannot be read as a table: {str(error).strip()}; separate columns by commas")


def data_hash(panel: Panel) -> str:
    """SHA-256 of what a panel holds: ids, grid and values; equal data give equal hashes whatever the file."""
    digest = hashlib.sha256()
    names: Mapping[str, object] = {"ids": panel.ids.tolist(), "calendar": panel.calendar.name, "columns": [panel.past, panel.known, panel.static]}
    digest.update(repr(names).encode())
    ends = panel.calendar.stamps(panel.first).astype("int64")
    for array in (panel.offsets, ends, panel.ends, panel.values, panel.static_values):
        digest.update(memoryview(array.tobytes()))
    return digest.hexdigest()
