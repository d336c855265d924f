"""The door: a long table becomes a Panel, or an error that says what to write instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecaster.config.groups import GroupsDefinition
from forecaster.errors import DataError
from forecaster.series.calendar import Calendar, calendar_from, within_days
from forecaster.series.columns import Columns
from forecaster.series.frequency import infer_from
from forecaster.series.grid import lay_on_grid
from forecaster.series.groups import keep_group
from forecaster.series.panel import Panel
from forecaster.series.rawtable import RawTable
from forecaster.series.rows import sorted_rows, sorted_stamps
from forecaster.series.stamps import say_stamp
from forecaster.series.stretches import Stretches, missing_stretches, visible
from forecaster.words import plural

__all__ = ["panel_from_frame"]

FILLED = {
    "forward": "forward: gaps repeat the last value in what models see; never in targets, scores or naive forecasts",
    "interpolate": "interpolate: gaps are straight lines in what models see, once they see the end; never in targets, "
    "scores or naive forecasts",
}


def panel_from_frame(
    frame: pd.DataFrame,
    columns: Columns | None = None,
    *,
    freq: str | int | Calendar | None = None,
    missing: Literal["mask", "interpolate", "forward", "error"] = "mask",
    clock: Literal["auto", "shared", "own"] = "auto",
    time_format: str | None = None,
    zone: str | None = None,
    source: str = "frame",
    first_row: int = 0,
    groups: GroupsDefinition | None = None,
) -> Panel:
    """Checks a long table once and lays it on a regular grid.

    Args:
        frame: One row a series and time stamp, in any order.
        columns: Which column plays which part.
        freq: Pandas alias, exchange code, whole step or calendar; None infers it from the stamps: of a group too small
            for that from those of all groups.
        missing: `mask` keeps gaps of the target as NaN, `error` refuses them; `interpolate` and `forward` keep them
            too, but fill them wherever a model looks at them: see `filling`.
        clock: Whether series share their time; `auto`: whole-number stamps do not.
        time_format: `strptime` format of the stamps, where they are not ISO 8601; or `epoch_s`, `epoch_ms`.
        zone: Time zone of stamps that are local time without an offset from UTC, and in which all are given back.
        source: What errors call the table.
        first_row: What errors call the row with the label 0 (2 for a CSV file with a header).
        groups: How series are split; with `only`, the series of that group alone are read.

    Returns:
        The panel. Its notes say what was found and done.

    Raises:
        DataError: Names source, row, column, value and remedy.

    Example:
        >>> frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=4, freq="h"), "y": [1.0, 2.0, 3.0, 4.0]})
        >>> panel_from_frame(frame).calendar.name
        'h'
    """
    table = RawTable(frame, columns or Columns(), source, first_row)
    table.check()
    whole = replace(table, notes={})
    if groups:
        keep_group(table, groups)
    rows = sorted_rows(table, time_format, zone, clock=within_days(freq))
    try:
        calendar = _calendar(rows.stamps, rows.starts, freq, table)
    except DataError:
        if freq is not None or len(whole.frame) == len(table.frame):
            raise
        calendar = _calendar(*sorted_stamps(whole, time_format, zone), None, table)
    panel = lay_on_grid(rows, calendar, clock, table)
    gaps = missing_stretches(*visible(panel))
    if missing == "error":
        _refuse_gaps(panel, gaps, source)
    notes = {**_facts(panel, gaps, len(table.frame), freq), **table.notes}
    if missing in ("interpolate", "forward"):
        panel = replace(panel, filling=missing)
        notes["missing"] = FILLED[missing]
    return replace(panel, notes=notes)


def _calendar(stamps: np.ndarray, starts: np.ndarray, freq: str | int | Calendar | None, table: RawTable) -> Calendar:
    if isinstance(freq, Calendar):
        return freq
    numeric = stamps.dtype.kind in "iu"
    freq = freq.item() if isinstance(freq, np.integer) else freq
    if isinstance(freq, bool | np.bool_) or (freq is not None and isinstance(freq, int) != numeric):
        kinds = ("whole numbers", "a whole number") if numeric else ("dates", "a pandas alias or an exchange")
        raise DataError(f"{table.source}: time stamps are {kinds[0]}, so freq must be {kinds[1]}; found {freq!r}")
    if numeric and freq is None and _may_be_dates(stamps):
        raise DataError(
            f"{table.cell(0, table.columns.time)}: {table.shown(0, table.columns.time)} may be a date or a count; "
            'write `time_format: "%Y%m%d"` for dates, or `freq: 1` for counts'
        )
    try:
        if freq is None:
            return infer_from(stamps, starts)
        return calendar_from(freq, stamps.min(), stamps.max())
    except DataError as error:
        raise DataError(f"{table.source}: {error}") from None


def _may_be_dates(stamps: np.ndarray) -> bool:
    """Whether all whole numbers read as a day of 1900 to 2100 when written together: 20240131."""
    if stamps.min() < 1900_01_01 or stamps.max() > 2100_12_31:
        return False
    return not pd.to_datetime(pd.Series(stamps).astype(str), format="%Y%m%d", errors="coerce").isna().any()


def _refuse_gaps(panel: Panel, gaps: Stretches, source: str) -> None:
    if not len(gaps.lengths):
        return
    series = int(gaps.series[0])
    missing = int(gaps.lengths[gaps.series == series].sum())
    stamp = panel.stamps(panel.first[series] + gaps.starts[:1])[0]
    raise DataError(
        f"{source}: series {panel.ids[series]!r} has no target at {say_stamp(stamp)} "
        f"(missing steps: {missing:,}); fill them, or write `missing: mask`"
    )


def _facts(panel: Panel, gaps: Stretches, rows: int, freq: str | int | Calendar | None) -> dict[str, Any]:
    """What was found, for people."""
    begin, end = panel.stamps(np.array([panel.first.min(), panel.last.max()]))
    some = f"{gaps.lengths.sum():,} of {panel.lengths.sum():,} steps missing, in {plural(len(gaps.lengths), 'gap')}"
    facts = {
        "rows": rows,
        "series": len(panel),
        "span": f"{say_stamp(begin)} to {say_stamp(end)}",
        "frequency": f"{panel.calendar.name} ({'inferred from the time stamps' if freq is None else 'as told'})",
        "gaps": f"{some}, the longest of {plural(gaps.lengths.max(), 'step')}" if len(gaps.lengths) else "none",
    }
    if isinstance(end, pd.Timestamp) and end.tz_localize(None) > pd.Timestamp.now() + pd.Timedelta(1, "D"):
        facts["future"] = f"the last target is dated {say_stamp(end)}, after today; taken as it is"
    return {**facts, **_missing_covariates(panel)}


def _missing_covariates(panel: Panel) -> dict[str, str]:
    """How often each covariate is missing where the target is not."""
    if not (panel.past or panel.known or panel.static):
        return {}
    seen = np.isfinite(panel.target)
    columns = [*zip((*panel.past, *panel.known), panel.values[seen, 1:].T, strict=True)]
    columns += zip(panel.static, panel.static_values.T, strict=True)
    counts = {name: int(np.isnan(values).sum()) for name, values in columns}
    told = ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)
    return {"missing covariates": told} if told else {}
