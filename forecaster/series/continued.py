"""A panel whose series go on with values that were forecast, each along several paths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.series.panel import Panel

__all__ = ["continued"]


def continued(
    panel: Panel, series: np.ndarray, paths: np.ndarray, steps: np.ndarray, lookback: int, horizon: int
) -> Panel:
    """Some series, each as often as it has paths, with the path behind its last step.

    Args:
        panel: Where the histories and the known covariates of the coming steps lie.
        series: Numbers of the series, shape (n,).
        paths: Targets of the coming steps, shape (n, paths, most steps). On a day on which the exchange of a series
            is closed there is no value, as in the histories.
        steps: How many of them are taken, shape (n,).
        lookback: Steps of history that are kept at most.
        horizon: Steps behind the path whose known covariates are kept.

    Returns:
        A panel of n × paths series, the paths of one series side by side; its cutoffs are the paths' ends.
    """
    branches, most = paths.shape[1:]
    keep = np.minimum(panel.lengths[series], lookback)
    ticks = panel.last[series][:, None] + 1 + np.arange(most)
    paths = np.where(panel.calendar.trading(panel.ids[series], ticks)[:, None, :], paths, np.nan)
    lengths = keep + steps + horizon
    values = np.full((int(lengths.sum()) * branches, panel.values.shape[1]), np.nan, np.float32)
    place = 0
    for one, kept, length, added, path in zip(series, keep, lengths, steps, paths, strict=True):
        begin = panel.ends[one] - kept
        known = panel.values[begin : min(begin + length, panel.offsets[one + 1])]
        for branch in range(branches):
            part = values[place : place + length]
            part[: len(known)] = known
            part[kept : kept + added, 0] = path[branch, :added]
            place += length
    offsets = np.concatenate([[0], np.cumsum(np.repeat(lengths, branches))])
    again = np.repeat(series, branches)
    return replace(
        panel,
        ids=panel.ids[again],
        values=values,
        offsets=offsets,
        first=np.repeat(panel.last[series] - keep + 1, branches),
        ends=offsets[1:] - horizon,
        static_values=panel.static_values[again] if panel.static else panel.static_values,
    )
