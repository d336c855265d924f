"""Windows: what a network sees and what it should say, gathered from the panel only when needed.

A window is a pair (series, origin): the origin is the first row to be forecast. Nothing is stored but two
integers a window; a batch is copied out of the panel's one array when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecaster.errors import DataError
from forecaster.series.panel import Panel

__all__ = ["Batch", "Windows", "forecast_windows", "training_windows"]


@dataclass(frozen=True)
class Batch:
    """Some windows, in raw units; NaN means missing.

    Attributes:
        past: float32, shape (batch, lookback, features): target, past covariates, known covariates.
        known: float32, shape (batch, horizon, known covariates).
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
        series: Number of the series of each window; shape (windows,).
        origins: Row of `panel.values` with the first target of each window; shape (windows,).
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

        A lookback that reaches back beyond the start of its series, and a horizon beyond its end, are NaN there.
        """
        series, origins = self.series[chosen], self.origins[chosen]
        panel, columns = self.panel, self.panel.known_columns
        begin, stop = panel.offsets[series], panel.offsets[series + 1]
        past = _rows(panel.values, origins - self.lookback, self.lookback, begin, np.minimum(origins, stop))
        future = _rows(panel.values, origins, self.horizon, begin, stop)
        static = panel.static_values[series] if panel.static else np.zeros((len(series), 0), np.float32)
        return Batch(past, np.ascontiguousarray(future[:, :, columns]), static, np.ascontiguousarray(future[:, :, 0]))

    def after(self, cutoffs: np.ndarray) -> Windows:
        """The windows whose targets all lie behind their series' cutoff; ticks, shape (series,)."""
        behind = self.origins - self.panel.offsets[self.series] + self.panel.first[self.series] > cutoffs[self.series]
        return replace(self, series=self.series[behind], origins=self.origins[behind])

    def spread(self, count: int) -> np.ndarray:
        """Numbers of at most `count` windows, evenly spread over all."""
        return np.unique(np.linspace(0, len(self) - 1, count).astype(np.int64))

    def draw(self, count: int, seed: int, step: int) -> np.ndarray:
        """Numbers of `count` windows drawn at random, every series with the same chance.

        A function of the seed and the step alone: a resumed fit draws what the unbroken one would have.
        """
        generator = np.random.default_rng([seed, step])
        starts = np.flatnonzero(np.append(True, self.series[1:] != self.series[:-1]))
        counts = np.diff(np.append(starts, len(self)))
        series = generator.integers(len(starts), size=count)
        return np.asarray(starts[series] + (generator.random(count) * counts[series]).astype(np.int64))


def _rows(values: np.ndarray, starts: np.ndarray, count: int, begin: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """`count` rows from each start, NaN outside of [begin, stop); shape (starts, count, columns).

    Runs inside their series are copied as one block each; the few others row by row.
    """
    width = values.shape[1]
    inside = (starts >= begin) & (starts + count <= stop)
    rows = np.full((len(starts), count, width), np.nan, np.float32)
    if inside.any():
        blocks = np.lib.stride_tricks.sliding_window_view(values.reshape(-1), count * width)[::width]
        if inside.all():
            return blocks[starts].reshape(rows.shape)
        rows[inside] = blocks[starts[inside]].reshape(-1, count, width)
    for place in np.flatnonzero(~inside):
        low, high = max(starts[place], begin[place]), min(starts[place] + count, stop[place])
        if low < high:
            rows[place, low - starts[place] : high - starts[place]] = values[low:high]
    return rows


def training_windows(panel: Panel, lookback: int, horizon: int) -> Windows:
    """Every window whose targets lie wholly inside what may be seen, with something to see and to learn.

    A series that is long enough gives windows with a full lookback only; a shorter one gives windows that are
    padded with missing values on the left, from the half of its length on.

    Raises:
        DataError: No series is long enough for one.
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
            f"no series is long enough to train on: a horizon of {horizon} needs at least {horizon + 2} steps besides the "
            f"validation and test parts, the longest has {int(panel.lengths.max())}; shorten the horizon or give more data"
        )
    return windows


def forecast_windows(panel: Panel, lookback: int, horizon: int) -> Windows:
    """One window a series: the forecast from its end."""
    return Windows(panel, lookback, horizon, np.arange(len(panel)), panel.ends.copy())
