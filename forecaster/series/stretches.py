"""Stretches: runs of missing and of equal values, over all series at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecaster.series.mixture import MixedSessions
from forecaster.series.panel import Panel

__all__ = ["Stretches", "closed_steps", "equal_stretches", "missing_stretches", "visible"]

PART = 1 << 20
"""Steps that are looked through at once."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Runs within series, in the order of series and time.

    Attributes:
        series: Number of the series of each run; shape (runs,).
        starts: Its first step, counted from the start of the series; shape (runs,).
        lengths: Its steps; shape (runs,).
    """

    series: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    def at_least(self, steps: int) -> Stretches:
        """Those of so many steps or more."""
        long = self.lengths >= steps
        return Stretches(self.series[long], self.starts[long], self.lengths[long])

    def longest(self) -> int | None:
        """Number of the longest run, the first of several; None where there is none."""
        return int(self.lengths.argmax()) if len(self) else None

    def longest_by_series(self, series: int) -> np.ndarray:
        """Steps of the longest run of each series, 0 where it has none; shape (series,)."""
        longest = np.zeros(series, np.int64)
        np.maximum.at(longest, self.series, self.lengths)
        return longest


def visible(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """The targets up to the end of each series, one after the other, and where each begins."""
    if (panel.ends == panel.offsets[1:]).all():
        return np.ascontiguousarray(panel.target), panel.offsets
    owner = np.repeat(np.arange(len(panel)), np.diff(panel.offsets))
    shown = np.arange(len(panel.target)) < panel.ends[owner]
    return panel.target[shown], np.concatenate([[0], np.cumsum(panel.lengths)])


def closed_steps(panel: Panel) -> np.ndarray:
    """Whether each of the `visible` steps is no session of its series' own exchange; nothing is missing there."""
    if not isinstance(panel.calendar, MixedSessions):
        return np.zeros(int(panel.lengths.sum()), bool)
    ticks = (first + np.arange(length) for first, length in zip(panel.first, panel.lengths, strict=True))
    own = [panel.calendar.trading([name], row[None])[0] for name, row in zip(panel.ids, ticks, strict=True)]
    return ~np.concatenate(own)


def missing_stretches(values: np.ndarray, offsets: np.ndarray) -> Stretches:
    """Runs of missing values.

    Args:
        values: All series, one after the other; shape (total steps,).
        offsets: First step of each series, and the number of steps; shape (series + 1,).

    Example:
        >>> gaps = missing_stretches(np.array([1.0, np.nan, np.nan, 2.0, np.nan, 3.0]), np.array([0, 4, 6]))
        >>> gaps.series.tolist(), gaps.starts.tolist(), gaps.lengths.tolist()
        ([0, 1], [1, 0], [2, 1])
    """
    return _stretches(lambda start, stop: np.isnan(values[start:stop]), offsets)


def equal_stretches(values: np.ndarray, offsets: np.ndarray) -> Stretches:
    """Runs of two or more equal values; a missing value ends a run.

    Args:
        values: As `missing_stretches`.
        offsets: As `missing_stretches`.

    Example:
        >>> runs = equal_stretches(np.array([5.0, 5.0, 5.0, 2.0, 2.0, 2.0]), np.array([0, 5, 6]))
        >>> runs.series.tolist(), runs.starts.tolist(), runs.lengths.tolist()
        ([0, 0], [0, 3], [3, 2])
    """
    begins = np.zeros(len(values), bool)
    begins[offsets[:-1]] = True

    def again(start: int, stop: int) -> np.ndarray:
        before = values[start - 1 : stop - 1] if start else np.append(np.nan, values[: stop - 1])
        return np.asarray((values[start:stop] == before) & ~begins[start:stop])

    runs = _stretches(again, offsets)
    return Stretches(runs.series, runs.starts - 1, runs.lengths + 1)


def _stretches(marked: Callable[[int, int], np.ndarray], offsets: np.ndarray) -> Stretches:
    """Runs of marked steps; the border between two series ends a run.

    Args:
        marked: Says which of the steps from a start to a stop are marked. It is asked for a part at a time, so that the
            memory that this takes does not grow with the data.
        offsets: As `missing_stretches`.
    """
    begins, ends, total = [], [], int(offsets[-1])
    for start in range(0, total, PART):
        stop = min(start + PART, total)
        here = marked(start, stop)
        first, last = offsets[:-1], offsets[1:] - 1
        first, last = (border[(border >= start) & (border < stop)] - start for border in (first, last))
        before = np.append(marked(start - 1, start) if start else False, here[:-1])
        before[first] = False
        behind = np.append(here[1:], marked(stop, stop + 1) if stop < total else False)
        behind[last] = False
        begins.append(start + np.flatnonzero(here & ~before))
        ends.append(start + np.flatnonzero(here & ~behind))
    starts = np.concatenate(begins) if begins else np.zeros(0, np.int64)
    series = np.searchsorted(offsets, starts, side="right") - 1
    lengths = np.concatenate(ends) + 1 - starts if ends else starts
    return Stretches(series, starts - offsets[series], lengths)
