"""Windows: what a network sees and what it should say, gathered from the panel only when needed.

A window is a pair (series, origin): the origin is the first row to be forecast. Nothing is stored but two
integers a window; a batch is copied out of the panel's one array when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import as_strided

from forecaster.errors import DataError
from forecaster.series.features import CalendarFeatures
from forecaster.series.filling import filled
from forecaster.series.panel import Panel

__all__ = ["Batch", "Windows", "forecast_windows", "training_windows"]


@dataclass(frozen=True)
class Batch:
    """Some windows, in raw units; NaN means missing.

    Attributes:
        past: float32, shape (batch, lookback, features): target, past covariates, known covariates, calendar features.
        known: float32, shape (batch, horizon, known covariates and calendar features).
        static: float32, shape (batch, static covariates).
        target: float32, shape (batch, horizon).
    """

    past: np.ndarray
    known: np.ndarray
    static: np.ndarray
    target: np.ndarray

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """Those of `past`, `known` and `static` that have any features."""
        parts = {"past": self.past, "known": self.known, "static": self.static}
        return {name: part for name, part in parts.items() if part.shape[-1]}


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one panel.

    Args:
        panel: Where the values lie.
        lookback: Steps before the origin.
        horizon: Steps from the origin on.
        series: Number of the series of each window, in order; shape (windows,).
        origins: Row of `panel.values` with the first target of each window; shape (windows,).

    Example:
        >>> from forecaster.series import panel_from_frame
        >>> import pandas as pd
        >>> panel = panel_from_frame(pd.DataFrame({"ds": range(1, 9), "y": [1, 2, 3, 4, 5, 6, 7, 8]}))
        >>> batch = training_windows(panel, lookback=3, horizon=2).gather(slice(1))
        >>> batch.past[0, :, 0], batch.target[0]
        (array([1., 2., 3.], dtype=float32), array([4., 5.], dtype=float32))
    """

    panel: Panel
    lookback: int
    horizon: int
    series: np.ndarray
    origins: np.ndarray

    def __len__(self) -> int:
        return len(self.origins)

    def gather(self, chosen: np.ndarray | slice) -> Batch:
        """Copies the chosen windows out of the panel.

        A lookback that reaches back beyond the start of its series, and a horizon beyond its end, are NaN there;
        but calendar features go on over the horizon. Gaps in the target's lookback are filled as the panel says, from
        this lookback alone.
        """
        series, origins = self.series[chosen], self.origins[chosen]
        rows = self._rows(series, origins - self.lookback)
        if self.panel.features:
            rows = np.concatenate([rows, self._calendar(self.panel.features, series, origins)], axis=2)
        past, future = rows[:, : self.lookback], rows[:, self.lookback :]
        past[:, :, 0] = filled(past[:, :, 0], self.panel.filling)
        static = self.panel.static_values[series] if self.panel.static else np.zeros((len(series), 0), np.float32)
        return Batch(past, future[:, :, self.panel.known_columns], static, future[:, :, 0])

    def after(self, cutoffs: np.ndarray) -> Windows:
        """The windows whose targets all lie behind their series' cutoff.

        Args:
            cutoffs: Ticks, shape (series,).

        Raises:
            DataError: There is none.
        """
        ticks = self.origins - self.panel.offsets[self.series] + self.panel.first[self.series]
        behind = ticks > cutoffs[self.series]
        if not behind.any():
            raise DataError(
                "no target was observed in the validation part, so no fit can be stopped by it; "
                "give more data, a shorter horizon or more validation windows"
            )
        return replace(self, series=self.series[behind], origins=self.origins[behind])

    def spread(self, count: int) -> np.ndarray:
        """Numbers of at most `count` windows, evenly spread over all."""
        return np.unique(np.linspace(0, len(self) - 1, count).astype(np.int64))

    def draw(self, count: int, seed: int, step: int) -> np.ndarray:
        """Numbers of `count` windows drawn at random, every series with the same chance.

        A function of the seed and the step alone: a resumed fit draws what the unbroken one would have.
        """
        generator = np.random.default_rng([seed, step])
        starts, counts = self._runs
        series = generator.integers(len(starts), size=count)
        return np.asarray(starts[series] + (generator.random(count) * counts[series]).astype(np.int64))

    @cached_property
    def _runs(self) -> tuple[np.ndarray, np.ndarray]:
        """First window and number of windows of each series that has any."""
        starts = np.flatnonzero(np.append(True, self.series[1:] != self.series[:-1]))
        return starts, np.diff(np.append(starts, len(self)))

    @cached_property
    def _blocks(self) -> np.ndarray:
        """Every run of lookback + horizon rows, as overlapping views; shape (runs, lookback + horizon, columns)."""
        values, count = self.panel.values, self.lookback + self.horizon
        runs = max(len(values) - count + 1, 0)
        return as_strided(values, (runs, count, values.shape[1]), (values.strides[0], *values.strides), writeable=False)

    def _rows(self, series: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """The lookback + horizon rows from each start, NaN outside of the series.

        Runs inside their series are copied as one block each, the few others row by row.
        """
        values, count = self.panel.values, self.lookback + self.horizon
        begin, stop = self.panel.offsets[series], self.panel.offsets[series + 1]
        inside = (starts >= begin) & (starts + count <= stop)
        if inside.all():
            return np.asarray(self._blocks[starts])
        rows = np.empty((len(starts), count, values.shape[1]), np.float32)
        rows[inside] = self._blocks[starts[inside]]
        outside = ~inside
        places = starts[outside, None] + np.arange(count)
        partial = values[np.clip(places, 0, len(values) - 1)]
        partial[(places < begin[outside, None]) | (places >= stop[outside, None])] = np.nan
        rows[outside] = partial
        return rows

    def _calendar(self, features: CalendarFeatures, series: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Calendar features of lookback and horizon, NaN before the start of the series."""
        begin = self.panel.first[series][:, None]
        places = (origins - self.panel.offsets[series])[:, None] + np.arange(-self.lookback, self.horizon)
        columns = features.rows(begin + np.maximum(places, 0))
        columns[places < 0] = np.nan
        return columns


def training_windows(panel: Panel, lookback: int, horizon: int) -> Windows:
    """Every window whose targets lie wholly inside what may be seen, with something to see and to learn.

    A series that is long enough gives windows with a full lookback only; a shorter one gives windows that are
    padded with missing values on the left, from the half of its length on.

    Raises:
        DataError: There is none.
    """
    series, origins = [], []
    for one in range(len(panel)):
        history = np.isfinite(panel.history(one))
        room = len(history) - horizon
        seen = np.cumsum(history)
        places = np.arange(max(1, min(lookback, room // 2)), room + 1)
        before = seen[places - 1]
        wanted = (before > 0) & (seen[places + horizon - 1] > before)
        origins.append(panel.offsets[one] + places[wanted])
        series.append(np.full(int(wanted.sum()), one))
    windows = Windows(panel, lookback, horizon, np.concatenate(series), np.concatenate(origins))
    if not len(windows):
        raise DataError(
            f"no series is long enough to train on: a horizon of {horizon} needs at least {horizon + 1} steps besides "
            f"the validation and test parts, with values at both ends; the longest has {int(panel.lengths.max())}; "
            "shorten the horizon or give more data"
        )
    return windows


def forecast_windows(panel: Panel, lookback: int, horizon: int) -> Windows:
    """One window a series: the forecast from its end."""
    return Windows(panel, lookback, horizon, np.arange(len(panel)), panel.ends.copy())
