"""CSV and Parquet files: pandas parses, `table` judges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.columns import Columns
from forecaster.series.csvtext import read_cells, unreadable
from forecaster.series.panel import Panel
from forecaster.series.table import panel_from_frame

__all__ = ["data_hash", "parquet_cells", "read_csv", "read_parquet"]


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

    Cells that are empty or say NA, N/A, NaN, null or None are missing; ids are taken as they stand. Empty
    rows are left out, and noted.

    Args:
        path: The file, in UTF-8; `.gz` and the like are unpacked.
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

    Example:
        >>> read_csv("data/energy_demand.csv", target="demand").notes["frequency"]    # doctest: +SKIP
        '30min (inferred from the time stamps)'
    """
    path = Path(path)
    columns = Columns(id, time, target, past, known, static, ignore)
    cells, empty = read_cells(path, as_text=[name for name in (id, time if time_format else None) if name])
    panel = panel_from_frame(
        cells, columns, freq=freq, missing=missing, clock=clock, time_format=time_format, source=str(path), first_row=2
    )
    return replace(panel, notes={**panel.notes, "empty rows": f"{empty:,}; left out"}) if empty else panel


def read_parquet(path: str | Path, **options: Any) -> Panel:
    """Reads a Parquet file in long form (needs the extra `parquet`); options and errors as `read_csv`.

    An index that has a name counts as a column.
    """
    columns = Columns(**{key: options.pop(key) for key in list(options) if key in Columns.__dataclass_fields__})
    return panel_from_frame(parquet_cells(Path(path)), columns, source=str(path), **options)


def parquet_cells(path: Path) -> pd.DataFrame:
    """The table in a Parquet file; an index that has a name counts as a column.

    Raises:
        DataError: It cannot be read.
    """
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise DataError(f"{path}: Parquet needs pyarrow; install forecaster[parquet]") from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "write it as Parquet, or say `source: csv`") from None
    return frame.reset_index() if any(frame.index.names) else frame


def data_hash(panel: Panel) -> str:
    """SHA-256 of what a panel holds: ids, grid and values; equal data give equal hashes whatever the file."""
    digest = hashlib.sha256()
    names: Mapping[str, object] = {
        "ids": panel.ids.tolist(),
        "calendar": panel.calendar.name,
        "columns": [panel.past, panel.known, panel.static],
    }
    digest.update(repr(names).encode())
    begins = panel.calendar.stamps(panel.first).astype("int64")
    for array in (panel.offsets, begins, panel.ends, panel.values, panel.static_values):
        digest.update(memoryview(array.tobytes()))
    return digest.hexdigest()
