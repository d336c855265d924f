"""The future from a file of its own: known covariates joined to a panel, at the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.config import FileData, TextData, TickerData
from forecaster.errors import DataError
from forecaster.series.calendar import OFF_GRID, within_days
from forecaster.series.columns import Columns
from forecaster.series.csvformat import CsvFormat
from forecaster.series.csvtext import read_cells
from forecaster.series.files import parquet_cells
from forecaster.series.panel import Panel
from forecaster.series.rawtable import RawTable
from forecaster.series.rows import Rows, sorted_rows
from forecaster.series.stamps import say_stamp
from forecaster.series.symbols import categories_apart

__all__ = ["join_known", "read_known"]

MOST_STEPS = 100_000
"""How far behind the last cutoff a row of the future may lie, in steps; beyond, its stamp must be wrong."""


def read_known(panel: Panel, path: Path, data: FileData | TickerData | TextData) -> Panel:
    """Joins the known covariates in a file to a panel; see `join_known`.

    Args:
        panel: What `data` names.
        path: CSV, or Parquet by its name's end: the columns for id, time and known covariates; other columns of
            the data may stand there too and are not read.
        data: The `data` block.

    Raises:
        DataError: Names file, row, column and remedy.
    """
    if not isinstance(data, FileData) or not data.known:
        raise DataError(f"{path}: the pipeline declares no known covariates, so there is nothing to read; leave it out")
    as_text = [name for name in (data.id, data.time if data.time_format else None) if name]
    cells = parquet_cells(path) if path.suffix == ".parquet" else read_cells(path, as_text, CsvFormat.of(data))[0]
    others, name = [data.target, *data.past, *data.static, *data.ignore], data.id
    if data.groups:  # the file may hold the other groups' series, too
        others = [*others, *([data.groups.by] if data.groups.by else [])]
        if data.groups.only is not None and name in cells:
            cells = cells[cells[name].astype(str).isin({str(one) for one in panel.ids})]
    if data.layout == "wide":  # its covariates hold for all series
        name, others = "unique_id", [*others, *panel.ids]
        cells = pd.concat([cells.assign(unique_id=series) for series in panel.ids])
    return join_known(
        panel, cells, name, data.time,
        ignore=others, time_format=data.time_format, zone=data.zone, source=str(path), first_row=2,
    )  # fmt: skip


def join_known(
    panel: Panel,
    frame: pd.DataFrame,
    id: str | None = None,
    time: str = "ds",
    *,
    ignore: Sequence[str] = (),
    time_format: str | None = None,
    zone: str | None = None,
    source: str = "frame",
    first_row: int = 0,
) -> Panel:
    """Joins rows of known covariates to a panel, so that they reach over the horizon.

    Rows before the start of their series are left out. Where the panel has a value already, the table must agree.

    Args:
        panel: The panel, with known covariates.
        frame: One row a series and time stamp, in any order.
        id: Column that names the series; None for one series.
        time: Column of time stamps.
        ignore: Columns to leave out.
        time_format: `strptime` format of the stamps, where they are not ISO 8601.
        zone: Time zone of stamps that are local time without an offset from UTC.
        source: What errors call the table.
        first_row: What errors call the row with the label 0.

    Returns:
        A panel with the same cutoffs. Its notes say how many rows were joined.

    Raises:
        DataError: A column is missing or undeclared, a stamp is not on the grid, a series is unknown, or a value
            differs from that of the panel.
    """
    frame = categories_apart(frame, panel.known, source)
    # the first known covariate stands where a table at the door has its target
    columns = Columns(id, time, panel.known[0], known=panel.known[1:], ignore=[*ignore])
    table = RawTable(frame, columns, source, first_row)
    table.check()
    rows = sorted_rows(table, time_format, zone, clock=within_days(panel.calendar))
    owner = _owners(panel, rows, table)
    places = _places(panel, rows, owner, table)
    inside = places >= 0
    joined = _longer(panel, owner[inside], places[inside])
    targets = joined.offsets[owner[inside]] + places[inside]
    _refuse_contradictions(joined, targets, rows, np.flatnonzero(inside), table)
    said = rows.values[inside]
    block = joined.values[:, joined.known_columns]
    block[targets] = np.where(np.isfinite(said), said, block[targets])
    return replace(joined, notes={**panel.notes, "known": f"{int(inside.sum()):,} rows of {source} joined"})


def _owners(panel: Panel, rows: Rows, table: RawTable) -> np.ndarray:
    """The panel's series for each row."""
    if table.columns.id is None and len(panel) == 1:
        return np.zeros(len(rows.series), np.int64)
    numbers = {name: number for number, name in enumerate(panel.ids)}
    owner = np.array([numbers.get(name, -1) for name in rows.names])[rows.series]
    if (owner < 0).any():
        place = int(np.flatnonzero(owner < 0)[0])
        some = ", ".join(str(name) for name in panel.ids[:5])
        raise DataError(
            f"{table.row(int(rows.positions[place]))}: series {rows.names[rows.series[place]]!r} is not in the data, "
            f"which have {some}{', …' if len(panel) > 5 else ''}; correct the id, or leave the row out"
        )
    return np.asarray(owner)


def _places(panel: Panel, rows: Rows, owner: np.ndarray, table: RawTable) -> np.ndarray:
    """The step of each row from the start of its series; below 0 before it."""
    numbers = rows.stamps.dtype.kind in "iu"
    whole = panel.calendar.stamps(panel.first[:1]).dtype.kind in "iu"
    if numbers != whole or (rows.zone is None) != (panel.zone is None):
        kinds = {True: "whole numbers", False: f"dates {'with' if panel.zone else 'without'} an offset from UTC"}
        raise DataError(
            f"{table.cell(int(rows.positions[0]), table.columns.time)}: the time stamps of the data are "
            f"{kinds[whole]}; write these in the same way, and give some of another time of day if all have the same"
        )
    ticks = panel.calendar.ticks(rows.stamps)
    last = panel.last[owner]
    wrong = np.flatnonzero((ticks == OFF_GRID) | (ticks > last + MOST_STEPS))
    if len(wrong):
        place = int(wrong[0])
        off = ticks[place] == OFF_GRID
        why = "is not on the calendar" if off else f"lies {ticks[place] - last[place]:,} steps ahead on"
        raise DataError(
            f"{table.row(int(rows.positions[place]))}: {say_stamp(rows.stamps[place])} {why} {panel.calendar.name} of "
            "the data; correct the stamp, or leave the row out"
        )
    return np.asarray(ticks - panel.first[owner])


def _longer(panel: Panel, owner: np.ndarray, places: np.ndarray) -> Panel:
    """A copy of the panel in which every series has the steps up to its last row in the table."""
    counts = np.diff(panel.offsets)
    wanted = counts.copy()
    np.maximum.at(wanted, owner, places + 1)
    offsets = np.concatenate([[0], np.cumsum(wanted)])
    values = np.full((int(offsets[-1]), panel.values.shape[1]), np.nan, np.float32)
    moved = np.repeat(offsets[:-1] - panel.offsets[:-1], counts)
    values[np.arange(len(panel.values)) + moved] = panel.values
    return replace(panel, values=values, offsets=offsets, ends=offsets[:-1] + panel.lengths)


def _refuse_contradictions(panel: Panel, targets: np.ndarray, rows: Rows, chosen: np.ndarray, table: RawTable) -> None:
    ours, theirs = panel.values[targets, panel.known_columns], rows.values[chosen]
    differ = np.argwhere((ours != theirs) & np.isfinite(ours) & np.isfinite(theirs))
    if len(differ):
        place, column = differ[0]
        position = int(rows.positions[chosen[place]])
        raise DataError(
            f"{table.cell(position, panel.known[column])}: {theirs[place, column]:g}, but the data have "
            f"{ours[place, column]:g} at {table.shown(position, table.columns.time)}; correct one of the two, or leave "
            "the row out"
        )
