"""How served forecasts turned out: remembered until a later request brings what was observed."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecaster.series import Panel
from forecaster.series.calendar import OFF_GRID
from forecaster.serving.metrics import REMEMBERED, Metrics

__all__ = ["Truth"]

Key = tuple[str, int]
"""A series, and the moment of a step: microseconds, or the whole number that a stamp is."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One step of a forecast: the median, or the likeliest symbol; the last value seen; and each interval's ends."""

    median: float | str
    naive: float | str
    intervals: tuple[tuple[str, float, float], ...]


class Truth:
    """Remembers forecasts and judges them once.

    Of each model `REMEMBERED` steps are kept; the oldest are forgotten first. Of a forecast with more steps, some
    series are kept over all of their steps: those whose names have the lowest hashes, so the same ones each time.

    Args:
        metrics: Where the errors are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._expected: defaultdict[str, OrderedDict[Key, Expected]] = defaultdict(OrderedDict)
        self._lock = threading.Lock()

    def expect(self, model: str, panel: Panel, frame: pd.DataFrame, column: str, levels: Sequence[float]) -> None:
        """Remembers a forecast frame's first forecast of each step; later ones saw more.

        Steps up to the last observed one are left out: what came is known already, whatever the forecast saw of it.

        Args:
            model: As it is served.
            panel: What was observed, also behind the cutoffs of a forecast that begins earlier.
            frame: The forecasts.
            column: Of the median.
            levels: Of the intervals.
        """
        told = dict(_steps(panel, _some_series(frame), column, levels))
        with self._lock:
            expected = self._expected[model]
            for key, one in told.items():
                expected.setdefault(key, one)
            while len(expected) > REMEMBERED:
                expected.popitem(last=False)

    def arrived(self, model: str, panel: Panel) -> None:
        """Judges what was expected of a model by the observations of a panel."""
        with self._lock:
            wanted = list(self._expected[model])
        came = _observed(panel, wanted)
        with self._lock:
            expected = self._expected[model]
            judged = [(value, expected.pop(key)) for key, value in came.items() if key in expected]
        for value, one in judged:
            self._judge(model, one, value)

    def _judge(self, model: str, expected: Expected, value: float | str) -> None:
        """Counts the error of one expected step; that of a symbol is 1 where another one came."""
        self._metrics.judged.labels(model).inc()
        self._metrics.error.labels(model).inc(_error(value, expected.median))
        self._metrics.naive.labels(model).inc(_error(value, expected.naive))
        for level, low, high in expected.intervals:
            self._metrics.covered.labels(model, level).inc(low <= float(value) <= high)


def _some_series(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of as many series as can be remembered over all of their steps, by the hashes of their names."""
    owners, names = pd.factorize(frame["unique_id"])
    most = max(1, REMEMBERED * len(names) // max(1, len(frame)))
    ranks = np.argsort(np.argsort(pd.util.hash_array(np.array(names.astype(str), object), categorize=False)))
    rows = np.argsort(ranks[owners], kind="stable")
    return frame.iloc[rows[ranks[owners[rows]] < most]]


def _steps(panel: Panel, frame: pd.DataFrame, column: str, levels: Sequence[float]) -> Iterator[tuple[Key, Expected]]:
    """The steps of a forecast frame of which it is not known yet what came."""
    places = {str(name): place for place, name in enumerate(panel.ids)}
    seen = {str(name): _Seen.of(panel, places[str(name)]) for name in frame["unique_id"].unique()}
    ticks, cutoffs = (panel.ticks(pd.Index(frame[stamps])) for stamps in ("ds", "cutoff"))
    moments = panel.calendar.stamps(ticks).astype(np.int64)
    ends = [(f"{level:g}", f"{column}-lo-{level:g}", f"{column}-hi-{level:g}") for level in levels]
    bounds = [zip([level] * len(frame), frame[low], frame[high], strict=True) for level, low, high in ends]
    intervals = zip(*bounds, strict=True) if bounds else [()] * len(frame)
    rows = zip(frame["unique_id"], ticks, cutoffs, moments, frame[column], intervals, strict=True)
    for name, tick, cutoff, moment, median, around in rows:
        one = seen[str(name)]
        if tick > one.last:
            yield (str(name), int(moment)), Expected(median, _value(panel, one.at(cutoff)), around)


def _observed(panel: Panel, wanted: Sequence[Key]) -> dict[Key, float | str]:
    """What came of the steps that are waited for, where it has come."""
    numbers = {str(name): place for place, name in enumerate(panel.ids)}
    wanted = [key for key in wanted if key[0] in numbers]
    places = np.array([numbers[name] for name, _ in wanted], np.int64)
    ticks = panel.calendar.ticks(np.array([moment for _, moment in wanted], np.int64))
    behind = np.where(ticks == OFF_GRID, -1, ticks - panel.first[places])
    there = (behind >= 0) & (behind < panel.lengths[places])
    values = np.full(len(wanted), np.nan)
    values[there] = panel.target[panel.offsets[places[there]] + behind[there]]
    return {wanted[row]: _value(panel, float(values[row])) for row in np.flatnonzero(np.isfinite(values))}


def _value(panel: Panel, value: float) -> float | str:
    """A symbol's name where the panel holds such."""
    return panel.symbols[int(value)] if panel.symbols and np.isfinite(value) else value


def _error(value: float | str, forecast: float | str) -> float:
    if isinstance(value, str) or isinstance(forecast, str):
        return float(value != forecast)
    return abs(value - forecast)


@dataclass(frozen=True)
class _Seen:
    """What was observed of one series, a value at least: the ticks, ascending, and the values there."""

    ticks: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, panel: Panel, place: int) -> Self:
        history = panel.history(place)
        there = np.flatnonzero(np.isfinite(history))
        return cls(panel.first[place] + there, history[there])

    @property
    def last(self) -> int:
        """The last tick with a value."""
        return int(self.ticks[-1])

    def at(self, cutoff: int) -> float:
        """The last value up to a cutoff."""
        return float(self.values[np.searchsorted(self.ticks, cutoff, side="right") - 1])
