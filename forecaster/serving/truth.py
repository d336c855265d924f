"""How served forecasts turned out: remembered until a later request brings what was observed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from forecaster.series import Panel
from forecaster.serving.metrics import Metrics

__all__ = ["Truth"]

MOST = 20_000
"""Forecast steps that are remembered; the oldest are forgotten first."""


@dataclass(frozen=True)
class Expected:
    """One step of a forecast: the median, or the likeliest symbol; the last value seen; and the intervals by level."""

    median: float | str
    naive: float | str
    intervals: dict[str, tuple[float, float]]


class Truth:
    """Remembers forecasts and judges them once.

    Args:
        metrics: Where the errors are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._expected: OrderedDict[tuple[str, str, object], Expected] = OrderedDict()
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
        seen = {str(name): _Seen.of(panel, place) for place, name in enumerate(panel.ids)}
        bounds = {f"{level:g}": (f"{column}-lo-{level:g}", f"{column}-hi-{level:g}") for level in levels}
        ticks, cutoffs = (panel.ticks(pd.Index(frame[stamps])) for stamps in ("ds", "cutoff"))
        with self._lock:
            for row, tick, cutoff in zip(frame.to_dict("records"), ticks, cutoffs, strict=True):
                name = str(row["unique_id"])
                if tick <= seen[name].last:
                    continue
                intervals = {level: (row[low], row[high]) for level, (low, high) in bounds.items()}
                told = Expected(row[column], _value(panel, seen[name].at(cutoff)), intervals)
                self._expected.setdefault((model, name, row["ds"]), told)
            while len(self._expected) > MOST:
                self._expected.popitem(last=False)

    def arrived(self, model: str, panel: Panel) -> None:
        """Judges what was expected of a model by the observations of a panel."""
        with self._lock:
            wanted = {(name, stamp) for one, name, stamp in self._expected if one == model}
        if not wanted:
            return
        for place, name in enumerate(panel.ids):
            values = panel.history(place)
            stamps = panel.stamps(panel.first[place] + np.arange(len(values)))
            for stamp, value in zip(stamps, values, strict=True):
                if (str(name), stamp) in wanted and np.isfinite(value):
                    self.judge(model, (model, str(name), stamp), _value(panel, float(value)))

    def judge(self, model: str, key: tuple[str, str, object], value: float | str) -> None:
        """Counts the error of one expected step, if it was expected; that of a symbol is 1 where another one came."""
        with self._lock:
            expected = self._expected.pop(key, None)
        if expected is None:
            return
        self._metrics.judged.labels(model).inc()
        self._metrics.error.labels(model).inc(_error(value, expected.median))
        self._metrics.naive.labels(model).inc(_error(value, expected.naive))
        for level, (low, high) in expected.intervals.items():
            self._metrics.covered.labels(model, level).inc(low <= float(value) <= high)


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
