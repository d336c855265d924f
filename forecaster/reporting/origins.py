"""What the browser needs to draw single forecasts: some origins of some series, each as it was made.

A backtest may hold a million values. The report keeps series and origins that are spread evenly and says
how many of how many it kept. Nothing is joined across origins.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.reporting.cast import cast, default_pair, interval_levels
from forecaster.reporting.content import ReportContent
from forecaster.reporting.encoding import Json, numbers, stamps
from forecaster.reporting.thinning import evenly

__all__ = ["MAX_ORIGINS", "MAX_SERIES", "OriginViews", "origin_views"]

MAX_SERIES = 12
MAX_ORIGINS = 30
MIN_ORIGINS = 3
VALUE_BUDGET = 300_000
"""About 2 MB of JSON: what all views together may hold, unless that left fewer than MIN_ORIGINS a series."""


@dataclass(frozen=True)
class OriginViews:
    """The views as JSON for report.js, and what was left out.

    `data` is `{model, against, levels: {model: [level, …]}, series: [{id, ds, y, origins: [origin, …]}]}`;
    an origin is `{cutoff, from, upto, at: [place in ds, …], values: {model: [median, lo, hi, lo, hi, …]}}`,
    the ends in the order of `levels`; the history up to the cutoff is `ds[from:upto]`.
    """

    data: dict[str, Json]
    series_shown: int
    series_total: int
    origins_shown: int
    origins_total: int


def origin_views(content: ReportContent) -> OriginViews:
    """Chooses series and origins, and gathers each view's history, outcome and forecasts."""
    frame = content.forecasts
    ids = list(pd.unique(frame["unique_id"]))
    shown = evenly(ids, MAX_SERIES)
    total = len(frame[["unique_id", "cutoff"]].drop_duplicates())
    columns = _columns(content)
    series: list[Json] = []
    kept = 0
    for unique_id in shown:
        rows = frame[frame["unique_id"] == unique_id].sort_values(["cutoff", "ds"])
        cutoffs = _chosen_cutoffs(rows, len(shown), sum(map(len, columns.values())))
        history = content.history[content.history["unique_id"] == unique_id].set_index("ds")["y"].sort_index()
        series.append(_series(str(unique_id), rows[rows["cutoff"].isin(cutoffs)], history, columns))
        kept += len(cutoffs)
    model, against = default_pair(content)
    levels: dict[str, Json] = {name: list(interval_levels(content, name)) for name in columns}
    data: dict[str, Json] = {"model": model, "against": against, "levels": levels, "series": series}
    return OriginViews(data, len(shown), len(ids), kept, total)


def _columns(content: ReportContent) -> dict[str, list[str]]:
    """Model -> its columns: the median, then both ends of each interval, widest first."""
    columns = {}
    for name in (player.name for player in cast(content)):
        ends = [f"{name}-{side}-{level}" for level in interval_levels(content, name) for side in ("lo", "hi")]
        columns[name] = [name, *ends]
    return columns


def _context(rows: pd.DataFrame) -> int:
    """How many steps before the cutoff are drawn."""
    horizon = int(rows.groupby("cutoff").size().max())
    return min(max(3 * horizon, 30), 400)


def _chosen_cutoffs(rows: pd.DataFrame, n_series: int, n_columns: int) -> list[object]:
    cutoffs = sorted(pd.unique(rows["cutoff"]))
    values_a_view = _context(rows) + len(rows) // len(cutoffs) * n_columns
    affordable = VALUE_BUDGET // (n_series * values_a_view)
    return evenly(cutoffs, min(max(affordable, MIN_ORIGINS), MAX_ORIGINS))


def _series(unique_id: str, rows: pd.DataFrame, history: pd.Series, columns: dict[str, list[str]]) -> Json:
    """One series: its stamps and outcomes once, and each origin as places in them."""
    outcome = rows.drop_duplicates("ds").set_index("ds")["y"]
    known = history.combine_first(outcome).sort_index()
    context = _context(rows)
    cutoffs = sorted(pd.unique(rows["cutoff"]))
    upto = known.index.searchsorted(pd.Index(cutoffs), side="right")
    needed = np.zeros(len(known), dtype=bool)
    for stop in upto.tolist():
        needed[max(stop - context, 0) : stop] = True
    needed |= known.index.isin(outcome.index)
    place = np.cumsum(needed) - 1
    kept = known[needed]
    origins: list[Json] = []
    for cutoff, stop in zip(cutoffs, upto.tolist(), strict=True):
        made = rows[rows["cutoff"] == cutoff]
        start = max(stop - context, 0)
        origins.append(
            {
                "cutoff": stamps([cutoff])[0],
                "from": int(place[start]) if stop else 0,
                "upto": int(place[stop - 1]) + 1 if stop else 0,
                "at": [int(place[i]) for i in known.index.get_indexer(pd.Index(made["ds"]))],
                "values": {model: [numbers(made[c]) for c in names] for model, names in columns.items()},
            }
        )
    return {"id": unique_id, "ds": stamps(kept.index), "y": numbers(kept), "origins": origins}
