"""The door: a long table becomes a Panel, or an error that says what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import OFF_GRID, Calendar, calendar_from, infer_calendar
from forecaster.series.panel import Panel
from forecaster.series.stamps import parse_stamps

__all__ = ["Columns", "panel_from_frame"]

MOST_EMPTY = 20
"""A grid may hold this many times more steps than the table has rows; beyond, the frequency must be wrong."""


@dataclass(frozen=True)
class Columns:
    """Which column plays which part.

    Args:
        id: Names the series; None where there is one series only.
        time: Time stamps, or whole numbers.
        target: What is forecast.
        past, known, static: Covariates, see `Panel`.
        ignore: Columns to leave out.
    """

    id: str | None = None
    time: str = "ds"
    target: str = "y"
    past: Sequence[str] = ()
    known: Sequence[str] = ()
    static: Sequence[str] = ()
    ignore: Sequence[str] = ()

    @property
    def used(self) -> list[str]:
        """All columns that are read, in the order of the panel's values; the id stands apart."""
        return [self.time, self.target, *self.past, *self.known, *self.static]


@dataclass
class _Reader:
    """Where a table came from and what was done to it: for messages and notes."""

    source: str
    first_row: int
    notes: dict[str, Any] = field(default_factory=dict)

    def row(self, position: Any) -> str:
        return f"{self.source}, row {int(position) + self.first_row}"


def panel_from_frame(
    frame: pd.DataFrame,
    columns: Columns | None = None,
    *,
    freq: str | int | None = None,
    missing: Literal["mask", "error"] = "mask",
    clock: Literal["auto", "shared", "own"] = "auto",
    time_format: str | None = None,
    source: str = "frame",
    first_row: int = 0,
) -> Panel:
    """Checks a long table once and lays it on a regular grid.

    Args:
        frame: One row a series and time stamp, in any order.
        columns: Which column plays which part.
        freq: Pandas alias, exchange code or whole step; None infers it from the stamps.
        missing: `mask` keeps gaps as NaN, `error` refuses them.
        clock: Whether series share their time; `auto`: whole-number stamps do not.
        time_format: `strptime` format of the stamps, where they are not ISO 8601.
        source: What errors call the table.
        first_row: Number of the first row in messages (2 for a CSV file with a header).

    Returns:
        The panel. Its notes say what was found and done.

    Raises:
        DataError: Names source, row, column, value and remedy.

    Example:
        >>> frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=4, freq="h"), "y": [1.0, 2.0, 3.0, 4.0]})
        >>> panel_from_frame(frame).calendar.name
        'h'
    """
    columns = columns or Columns()
    reader = _Reader(source, first_row)
    _check_columns(frame, columns, reader)
    ids = _ids(frame, columns, reader)
    stamps, zone = parse_stamps(frame[columns.time], time_format, reader.row)
    values = np.column_stack([_numbers(frame, name, reader) for name in columns.used[1:]])
    order = _order(ids, stamps, reader)
    ids, stamps, values, order = _without_doubles(ids[order], stamps[order], values[order], order, columns, reader)
    names, starts = np.unique(ids, return_index=True)
    calendar = _calendar(np.split(stamps, starts[1:]), freq, reader)
    ticks = calendar.ticks(stamps)
    if (ticks == OFF_GRID).any():
        _refuse_off_grid(ticks, stamps, order, calendar, reader)
    panel = _grid(names, starts, ticks, values, calendar, columns, zone, clock, reader)
    return _describe(panel, len(frame), freq, missing, reader)


def _check_columns(frame: pd.DataFrame, columns: Columns, reader: _Reader) -> None:
    wanted = [*([columns.id] if columns.id else []), *columns.used]
    doubled = [name for name in wanted if wanted.count(name) > 1]
    if doubled:
        raise DataError(f"{reader.source}: column {doubled[0]!r} is declared twice; a column plays one part")
    present = [str(name) for name in frame.columns]
    if absent := [name for name in wanted if name not in present]:
        raise DataError(f"{reader.source}: no column {absent[0]!r}; the columns are {', '.join(present)}")
    if left := [name for name in present if name not in {*wanted, *columns.ignore}]:
        raise DataError(
            f"{reader.source}: column{'s' if len(left) > 1 else ''} {', '.join(left)} not declared; "
            f"name each under id, target, past, known, static or ignore"
        )
    if frame.empty:
        raise DataError(f"{reader.source}: no rows; give a table with data below its header")


def _ids(frame: pd.DataFrame, columns: Columns, reader: _Reader) -> np.ndarray:
    if columns.id is None:
        return np.full(len(frame), columns.target, dtype=object)
    ids = frame[columns.id]
    if ids.isna().any():
        raise DataError(f"{reader.row(np.flatnonzero(ids.isna())[0])}, column {columns.id!r}: empty; name the series")
    return np.asarray(ids.astype(str).to_numpy(dtype=object))


def _numbers(frame: pd.DataFrame, name: str, reader: _Reader) -> np.ndarray:
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce")
        wrong = numbers.isna() & column.notna() & (column.astype(str).str.strip() != "")
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"{reader.row(place)}, column {name!r}: {column.iloc[place]!r} is not a number; "
                "write it with a decimal point and without thousands separators, or leave it empty if it is missing"
            )
        column = numbers
    with np.errstate(over="ignore"):
        values = column.to_numpy(np.float64, na_value=np.nan).astype(np.float32)
    if np.isinf(values).any():
        place = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(
            f"{reader.row(place)}, column {name!r}: {column.iloc[place]!r} is not finite as a 32-bit number; "
            "leave it empty if it is missing, or rescale the column"
        )
    return values


def _order(ids: np.ndarray, stamps: np.ndarray, reader: _Reader) -> np.ndarray:
    codes = pd.factorize(ids, sort=True)[0]
    order = np.lexsort((stamps, codes))
    if (order != np.arange(len(order))).any():
        reader.notes["sorted"] = "rows were not in the order of series and time; sorted"
    return order


def _without_doubles(
    ids: np.ndarray, stamps: np.ndarray, values: np.ndarray, order: np.ndarray, columns: Columns, reader: _Reader
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    again = np.concatenate([[False], (ids[1:] == ids[:-1]) & (stamps[1:] == stamps[:-1])])
    if not again.any():
        return ids, stamps, values, order
    same = np.zeros_like(again)
    same[1:] = [np.array_equal(a, b, equal_nan=True) for a, b in zip(values[1:], values[:-1], strict=True)]
    if (again & ~same).any():
        place = int(np.flatnonzero(again & ~same)[0])
        raise DataError(
            f"{reader.row(order[place])}: series {ids[place]!r} has {columns.time} {stamps[place]} twice with different "
            f"values (also row {order[place - 1] + reader.first_row}); keep one row, or name an id column"
        )
    reader.notes["duplicates"] = f"{int(again.sum())} rows that repeat another one exactly; dropped"
    return ids[~again], stamps[~again], values[~again], order[~again]


def _calendar(stamps: list[np.ndarray], freq: str | int | None, reader: _Reader) -> Calendar:
    numeric = stamps[0].dtype.kind in "iu"
    if freq is not None and isinstance(freq, int) != numeric:
        kinds = ("whole numbers", "a whole number") if numeric else ("dates", "a pandas alias or an exchange")
        raise DataError(f"{reader.source}: time stamps are {kinds[0]}, so freq must be {kinds[1]}; found {freq!r}")
    try:
        if freq is None:
            return infer_calendar(stamps)
        return calendar_from(freq, min(one[0] for one in stamps), max(one[-1] for one in stamps))
    except DataError as error:
        raise DataError(f"{reader.source}: {error}") from None


def _refuse_off_grid(
    ticks: np.ndarray, stamps: np.ndarray, order: np.ndarray, calendar: Calendar, reader: _Reader
) -> None:
    off = np.flatnonzero(ticks == OFF_GRID)
    raise DataError(
        f"{reader.row(order[off[0]])}: {stamps[off[0]]} is not on the calendar {calendar.name} "
        f"({len(off)} of {len(ticks)} stamps are not); correct the stamps or write another `freq:`"
    )


def _grid(
    names: np.ndarray,
    starts: np.ndarray,
    ticks: np.ndarray,
    values: np.ndarray,
    calendar: Calendar,
    columns: Columns,
    zone: str | None,
    clock: str,
    reader: _Reader,
) -> Panel:
    """Lays sorted rows on the grid; steps without a row stay NaN."""
    stops = np.append(starts[1:], len(ticks))
    first = ticks[starts]
    counts = ticks[stops - 1] - first + 1
    if counts.sum() > MOST_EMPTY * len(ticks) + 1_000:
        raise DataError(
            f"{reader.source}: on the calendar {calendar.name} {counts.sum():,} steps would hold only {len(ticks):,} rows; "
            "write a coarser `freq:`"
        )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    owner = np.repeat(np.arange(len(names)), stops - starts)
    moving = 1 + len(columns.past) + len(columns.known)
    grid = np.full((int(offsets[-1]), moving), np.nan, np.float32)
    grid[offsets[owner] + ticks - first[owner]] = values[:, :moving]
    panel = Panel(
        ids=names,
        values=grid,
        offsets=offsets,
        first=first,
        ends=offsets[1:].copy(),
        calendar=calendar,
        past=tuple(columns.past),
        known=tuple(columns.known),
        static=tuple(columns.static),
        static_values=_static(values[:, moving:], owner, names, columns, reader),
        shared_clock=clock == "shared" or (clock == "auto" and not getattr(calendar, "numeric", False)),
        zone=zone,
    )
    return _cut_at_last_observation(panel, reader)


def _static(
    values: np.ndarray, owner: np.ndarray, names: np.ndarray, columns: Columns, reader: _Reader
) -> np.ndarray:
    one = np.zeros((len(names), values.shape[1]), np.float32)
    one[owner] = values
    if (changes := (values != one[owner]) & ~np.isnan(values)).any():
        row, column = np.argwhere(changes)[0]
        raise DataError(
            f"{reader.source}: static column {columns.static[column]!r} changes within series {names[owner[row]]!r}; "
            "declare it as past or known"
        )
    return one


def _cut_at_last_observation(panel: Panel, reader: _Reader) -> Panel:
    """A series ends at its last observed target; what is behind are known covariates of the future."""
    ends = panel.ends
    for series in range(len(panel)):
        observed = np.flatnonzero(np.isfinite(panel.history(series)))
        if not len(observed):
            raise DataError(f"{reader.source}: series {panel.ids[series]!r} has no target at all; leave it out")
        ends[series] = panel.offsets[series] + observed[-1] + 1
    return panel


def _describe(panel: Panel, rows: int, freq: str | int | None, missing: str, reader: _Reader) -> Panel:
    from dataclasses import replace

    gaps = [_gaps(panel.history(series)) for series in range(len(panel))]
    steps, runs, longest = (sum(gap[0] for gap in gaps), sum(gap[1] for gap in gaps), max(gap[2] for gap in gaps))
    if missing == "error" and steps:
        where = next(series for series, gap in enumerate(gaps) if gap[0])
        tick = panel.first[where] + int(np.flatnonzero(np.isnan(panel.history(where)))[0])
        raise DataError(
            f"{reader.source}: {steps} steps have no target, the first is {panel.stamps(np.array([tick]))[0]} of series "
            f"{panel.ids[where]!r}; fill them, or write `missing: mask`"
        )
    span = panel.stamps(np.array([panel.first.min(), panel.last.max()]))
    notes = {
        "rows": rows,
        "series": len(panel),
        "span": f"{span[0]} to {span[1]}",
        "frequency": f"{panel.calendar.name} ({'as told' if freq is not None else 'inferred from the time stamps'})",
        "gaps": f"{steps} of {int(panel.lengths.sum())} steps missing, in {runs} gaps, the longest of {longest} steps"
        if steps
        else "none",
        **reader.notes,
    }
    return replace(panel, notes=notes)


def _gaps(history: np.ndarray) -> tuple[int, int, int]:
    """Missing steps, runs of them, and the longest run."""
    missing = np.concatenate([[False], np.isnan(history), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1])
    lengths = edges[1::2] - edges[::2]
    return int(missing.sum()), len(lengths), int(lengths.max(initial=0))
