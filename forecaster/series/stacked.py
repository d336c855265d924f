"""Many cutoffs of a panel beside each other, so that one call of a forecaster answers them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.series.panel import Panel

__all__ = ["stacked"]


def stacked(panel: Panel, series: np.ndarray, cutoffs: np.ndarray, past: int, future: int) -> Panel:
    """Series as they were known at cutoffs, each with its last steps only; one series for each pair.

    Args:
        panel: All data.
        series: Number of a series in the panel, for each pair.
        cutoffs: Tick of the last step to be seen, for each pair; not before the series' first.
        past: Steps that are kept up to the last observed one before the cutoff, where the series has so many.
        future: Steps behind it of which known covariates are kept, where the series has so many rows.

    Returns:
        A panel of its own (a copy): later targets and past covariates are gone, not only out of sight. A series stands
        in it as often as it has cutoffs, under its own name.
    """
    begin, stop = panel.offsets[series], panel.offsets[series + 1]
    ends = np.minimum(begin + cutoffs - panel.first[series] + 1, panel.ends[series])
    seen = np.maximum.accumulate(np.where(np.isfinite(panel.target), np.arange(1, len(panel.target) + 1), 0))
    starts, stops = np.maximum(np.minimum(seen[ends - 1], ends) - past, begin), np.minimum(ends + future, stop)
    offsets = np.concatenate([[0], np.cumsum(stops - starts)])
    owner = np.repeat(np.arange(len(series)), stops - starts)
    rows = np.arange(offsets[-1]) - offsets[owner] + starts[owner]
    values = panel.values[rows]
    values[rows >= ends[owner], : panel.known_columns.start] = np.nan
    return replace(
        panel,
        ids=panel.ids[series],
        values=values,
        offsets=offsets,
        first=panel.first[series] + (starts - begin),
        ends=offsets[:-1] + (ends - starts),
        static_values=panel.static_values[series] if panel.static else panel.static_values,
    )
