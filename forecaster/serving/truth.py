"""How served forecasts turned out: remembered until a later request brings what was observed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

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

        Args:
            model: As it is served.
            panel: From whose ends it was made.
            frame: The forecasts.
            column: Of the median.
            levels: Of the intervals.
        """
        last = {str(name): _value(panel, _last(panel.history(place))) for place, name in enumerate(panel.ids)}
        bounds = {f"{level:g}": (f"{column}-lo-{level:g}", f"{column}-hi-{level:g}") for level in levels}
        with self._lock:
            for row in frame.to_dict("records"):
                name = str(row["unique_id"])
                intervals = {level: (row[low], row[high]) for level, (low, high) in bounds.items()}
                self._expected.setdefault((model, name, row["ds"]), Expected(row[column], last[name], intervals))
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


def _last(values: np.ndarray) -> float:
    observed = values[np.isfinite(values)]
    return float(observed[-1]) if len(observed) else float("nan")
