"""CSV and Parquet files: pandas parses, `table` judges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecaster.config.groups import GroupsDefinition
from forecaster.errors import DataError
from forecaster.series.columns import Columns
from forecaster.series.csvformat import CsvFormat
from forecaster.series.csvtext import read_cells, unchanged, unreadable
from forecaster.series.fastcsv import fast_cells
from forecaster.series.groups import count_groups
from forecaster.series.panel import Panel
from forecaster.series.rawtable import RawTable
from forecaster.series.table import panel_from_frame
from forecaster.series.wide import long_table

__all__ = ["data_hash", "groups_in", "parquet_cells", "read_csv", "read_parquet"]


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
    missing: Literal["mask", "interpolate", "forward", "error"] = "mask",
    clock: Literal["auto", "shared", "own"] = "auto",
    time_format: str | None = None,
    zone: str | None = None,
    layout: Literal["long", "wide"] = "long",
    separator: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    encoding: str = "utf-8",
    groups: GroupsDefinition | None = None,
) -> Panel:
    """Reads a CSV file with a header: one row a series and time stamp, or one row a time stamp (`layout="wide"`).

    Large files are read by pyarrow where it is installed (the extra `parquet`), else by pandas; with equal results.
    Numbers are kept in 32 bits, so with seven digits.

    Cells that are empty or say NA, N/A, NaN, null or None are missing; ids are taken as they stand. Empty
    rows are left out, and noted.

    Args:
        path: The file; `.gz`, `.bz2`, `.xz` and `.zip` are unpacked.
        id: Column that names the series; None for one series.
        time: Column of time stamps (ISO 8601, or in `time_format`) or whole numbers.
        target: Column to forecast; in a wide table all columns are that are not time, known or ignored.
        past: Covariates that are known up to the cutoff.
        known: Covariates that are known over the horizon.
        static: Covariates with one value a series.
        ignore: Columns to leave out; any other column must be declared.
        freq: Pandas alias, exchange code (XNYS) or whole step; None infers it.
        missing: `mask` keeps gaps of the target as missing values, `error` refuses them; `interpolate` and `forward`
            fill them in what models see, never in what they are judged by.
        clock: Whether the series share their time; `auto`: those with whole-number stamps do not.
        time_format: `strptime` format of the stamps, or `epoch_s`, `epoch_ms`.
        zone: Time zone of stamps that are local time without an offset, and in which all are given back.
        layout: `long`, or `wide`: a column a series, called by its header.
        separator: One character between columns.
        decimal: `.` or `,`.
        thousands: What stands between groups of three digits.
        encoding: Of the text, where no byte order mark tells it: utf-8, utf-16, latin-1, cp1252, …
        groups: How series are split; with `only`, the series of that group alone are read.

    Returns:
        The checked panel.

    Raises:
        DataError: Names file, row, column and remedy.

    Example:
        >>> read_csv("data/energy_demand.csv", target="demand").notes["frequency"]    # doctest: +SKIP
        '30min (inferred from the time stamps)'
    """
    path, style = Path(path), CsvFormat(separator, decimal, thousands, encoding)
    columns = Columns(id, time, target, past, known, static, ignore, groups.by if groups else None)
    judged = partial(
        panel_from_frame, freq=freq, missing=missing, clock=clock, time_format=time_format, zone=zone,
        source=str(path), first_row=2, groups=groups,
    )  # fmt: skip
    if layout == "long" and (fast := fast_cells(path, columns, time_format, style)) is not None:
        with suppress(DataError):  # the other reader shows cells as they are written
            return judged(fast, columns)
    cells, empty = read_cells(path, [*columns.labels, *([time] if time_format else [])], style, ignore)
    if layout == "wide":
        cells, columns = long_table(cells, columns, str(path), 2)
    panel = judged(cells, columns)
    return replace(panel, notes={**panel.notes, "empty rows": f"{empty:,}; left out"}) if empty else panel


def read_parquet(path: str | Path, **options: Any) -> Panel:
    """Reads a Parquet file (needs the extra `parquet`); options and errors as `read_csv`, but for those of text.

    An index that has a name counts as a column.
    """
    told = {key: options.pop(key) for key in list(options) if key in Columns.__dataclass_fields__}
    groups: GroupsDefinition | None = options.get("groups")
    columns = Columns(**told, group=groups.by if groups else None)
    with unchanged(Path(path)):
        cells = parquet_cells(Path(path))
    if options.pop("layout", "long") == "wide":
        cells, columns = long_table(cells, columns, str(path))
    return panel_from_frame(cells, columns, source=str(path), **options)


def groups_in(
    path: Path,
    groups: GroupsDefinition,
    *,
    parquet: bool = False,
    layout: Literal["long", "wide"] = "long",
    time_format: str | None = None,
    style: CsvFormat | None = None,
    **parts: Any,
) -> dict[str, int]:
    """The labels of the groups in a file, in order, and how many series each has; the rest is not looked at.

    Args:
        path: The file.
        groups: How series are split.
        parquet: Whether it is no CSV file.
        layout: As `read_csv`; so is the next.
        time_format: See there.
        style: How a CSV file is written.
        parts: Of `Columns`.

    Raises:
        DataError: It cannot be read, a row is without a label, or a series has two.
    """
    columns, cells, style = Columns(**parts, group=groups.by), None, style or CsvFormat()
    if parquet:
        with unchanged(path):
            cells = parquet_cells(path)
    elif layout == "long":
        cells = fast_cells(path, columns, time_format, style)
    if cells is None:
        cells, _ = read_cells(path, columns.labels, style, columns.ignore)
    if layout == "wide":
        cells, columns = long_table(cells, columns, str(path), 2)
    table = RawTable(cells, columns, str(path), 0 if parquet else 2)
    table.check()
    return count_groups(table, groups)


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
    digest.update(repr({**names, "symbols": panel.symbols} if panel.symbols else names).encode())
    begins = panel.calendar.stamps(panel.first).astype("int64")
    for array in (panel.offsets, begins, panel.ends, panel.values, panel.static_values):
        digest.update(memoryview(array.tobytes()))
    return digest.hexdigest()
