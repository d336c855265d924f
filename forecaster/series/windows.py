"""Windows: what a network sees and what it should say, gathered from the panel only when needed.

A window is a pair (series, origin): the origin is the first row to be forecast. Windows whose origins follow each other
are kept as one run, three integers, however many they are; a batch is copied out of the panel's one array when it is
asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from forecaster.errors import DataError
from forecaster.series.features import CalendarFeatures
from forecaster.series.filling import filled
from forecaster.series.panel import Panel
from forecaster.series.stretches import missing_stretches

__all__ = ["NOTHING_TO_STOP_BY", "Batch", "Windows", "forecast_windows", "training_windows"]

NOTHING_TO_STOP_BY = (
    "no target was observed in the validation part, so no fit can be stopped by it; "
    "give more data, a shorter horizon or more validation windows"
)


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

    def followed_by(self, *others: Batch) -> Batch:
        """These windows and others behind them."""
        every = (self, *others)
        names = [field.name for field in fields(self)]
        return Batch(**{name: np.concatenate([getattr(one, name) for one in every]) for name in names})


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of one panel, in the order of series and time.

    Args:
        panel: Where the values lie.
        lookback: Steps before the origin.
        horizon: Steps from the origin on.
        series: Number of the series of each run of windows, in order; shape (runs,).
        starts: Row of `panel.values` with the first target of the first window of each run; shape (runs,).
        counts: Windows of each run, each a row later than the one before; one by default; shape (runs,).

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
    starts: np.ndarray
    counts: np.ndarray | None = None

    def __len__(self) -> int:
        return int(self._borders[-1])

    def locate(self, chosen: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        """Series and origin (a row of `panel.values`) of the chosen windows; shape (windows,) each."""
        numbers = np.arange(len(self))[chosen] if isinstance(chosen, slice) else chosen
        run = np.searchsorted(self._borders, numbers, side="right") - 1
        return self.series[run], self.starts[run] + (numbers - self._borders[run])

    def gather(self, chosen: np.ndarray | slice) -> Batch:
        """Copies the chosen windows out of the panel.

        A lookback that reaches back beyond the start of its series, and a horizon beyond its end, are NaN there;
        but calendar features go on over the horizon. Gaps in the target's lookback are filled as the panel says, from
        this lookback alone.
        """
        series, origins = self.locate(chosen)
        rows = self._rows(series, origins - self.lookback)
        if self.panel.features:
            rows = np.concatenate([rows, self._calendar(self.panel.features, series, origins)], axis=2)
        past, future = rows[:, : self.lookback], rows[:, self.lookback :]
        if self.panel.filling != "none":
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
        ticks = self.starts - self.panel.offsets[self.series] + self.panel.first[self.series]
        hidden = np.clip(cutoffs[self.series] + 1 - ticks, 0, self._sizes)
        left = self._sizes > hidden
        if not left.any():
            raise DataError(NOTHING_TO_STOP_BY)
        counts = (self._sizes - hidden)[left]
        return replace(self, series=self.series[left], starts=(self.starts + hidden)[left], counts=counts)

    def between(self, begins: np.ndarray, stops: np.ndarray) -> Windows:
        """The windows whose origins lie in one of several spans of time; there may be none.

        Args:
            begins: Ticks, in order; shape (spans,).
            stops: Ticks, exclusive, each behind its span's begin and not behind the next one's; same shape.
        """
        ticks = self.starts - self.panel.offsets[self.series] + self.panel.first[self.series]
        ends = ticks + self._sizes
        since = np.searchsorted(stops, ticks, side="right")
        count = np.maximum(np.searchsorted(begins, ends, side="left") - since, 0)
        run = np.repeat(np.arange(len(ticks)), count)
        span = np.arange(len(run)) - np.repeat(np.cumsum(count) - count - since, count)
        low, high = np.maximum(ticks[run], begins[span]), np.minimum(ends[run], stops[span])
        starts = self.starts[run] + low - ticks[run]
        return replace(self, series=self.series[run], starts=starts, counts=high - low)

    def spread(self, count: int) -> np.ndarray:
        """Numbers of at most `count` windows, evenly spread over all."""
        return np.unique(np.linspace(0, len(self) - 1, count).astype(np.int64))

    def draw(self, count: int, seed: int, step: int) -> np.ndarray:
        """Numbers of `count` windows drawn at random, every series with the same chance.

        A function of the seed and the step alone: a resumed fit draws what the unbroken one would have.
        """
        generator = np.random.default_rng([seed, step])
        starts, counts = self._shares
        series = generator.integers(len(starts), size=count)
        return np.asarray(starts[series] + (generator.random(count) * counts[series]).astype(np.int64))

    @cached_property
    def _sizes(self) -> np.ndarray:
        return np.ones(len(self.series), np.int64) if self.counts is None else self.counts

    @cached_property
    def _borders(self) -> np.ndarray:
        """Number of the first window of each run, and the number of windows; shape (runs + 1,)."""
        return np.concatenate([[0], np.cumsum(self._sizes)])

    @cached_property
    def _shares(self) -> tuple[np.ndarray, np.ndarray]:
        """First window and number of windows of each series that has any."""
        first = np.flatnonzero(np.append(True, self.series[1:] != self.series[:-1]))
        starts = self._borders[first]
        return starts, np.diff(np.append(starts, len(self)))

    @cached_property
    def _all_inside(self) -> bool:
        """Whether no window reaches over the borders of its series, so that none need be looked at for that."""
        begin, stop = self.panel.offsets[self.series], self.panel.offsets[self.series + 1]
        last = self.starts + self._sizes - 1
        return bool(((self.starts - self.lookback >= begin) & (last + self.horizon <= stop)).all())

    @cached_property
    def _blocks(self) -> np.ndarray:
        """Every run of lookback + horizon rows as one item of so many bytes, overlapping; shape (runs,)."""
        values, count = np.ascontiguousarray(self.panel.values), self.lookback + self.horizon
        block = np.dtype((np.void, count * values.strides[0]))
        return np.ndarray(max(len(values) - count + 1, 0), block, values, strides=values.strides[:1])

    def _copied(self, starts: np.ndarray) -> np.ndarray:
        """The lookback + horizon rows from each start, all of them rows of the panel."""
        numbers: np.ndarray = self._blocks[starts].view(np.float32)
        return numbers.reshape(len(starts), self.lookback + self.horizon, self.panel.values.shape[1])

    def _rows(self, series: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """The lookback + horizon rows from each start, NaN outside of the series.

        Runs inside their series are copied as one block each, the few others row by row.
        """
        if self._all_inside:
            return self._copied(starts)
        values, count = self.panel.values, self.lookback + self.horizon
        begin, stop = self.panel.offsets[series], self.panel.offsets[series + 1]
        inside = (starts >= begin) & (starts + count <= stop)
        if inside.all():
            return self._copied(starts)
        rows = np.empty((len(starts), count, values.shape[1]), np.float32)
        rows[inside] = self._copied(starts[inside])
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
    padded with missing values on the left, from the half of its length on. None lies in a gap with all of its lookback
    or all of its targets.

    Raises:
        DataError: There is none.
    """
    gaps = missing_stretches(panel.target, panel.offsets)
    room = panel.lengths - horizon
    first = np.maximum(1, np.minimum(lookback, room // 2))
    unseen, unlearnt = gaps.at_least(lookback), gaps.at_least(horizon)
    series, starts, stops = _without(
        np.concatenate([unseen.series, unlearnt.series]),
        np.concatenate([unseen.starts + lookback, unlearnt.starts]),
        np.concatenate([unseen.starts + unseen.lengths, unlearnt.starts + unlearnt.lengths - horizon]),
        first,
        room,
    )
    if not len(series):
        raise DataError(
            f"no series is long enough to train on: a horizon of {horizon} needs at least {horizon + 1} steps besides "
            f"the validation and test parts, with values at both ends; the longest has {int(panel.lengths.max())}; "
            "shorten the horizon or give more data"
        )
    return Windows(panel, lookback, horizon, series, panel.offsets[series] + starts, stops - starts)


def _without(
    series: np.ndarray, begins: np.ndarray, ends: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Runs of origins from `first` to `last` of each series (inclusive) outside of some stretches.

    Args:
        series: Of each stretch that is left out; stretches may overlap.
        begins: Its first origin.
        ends: Its last origin.
        first: Of each series.
        last: Of each series.

    Returns:
        Series, start (inclusive) and stop (exclusive) of each run, in the order of series and time; shape (runs,) each.
    """
    every = np.arange(len(first))
    starts = np.concatenate([first, ends + 1])
    stops = np.concatenate([begins, last + 1])
    until = np.lexsort((stops, np.concatenate([series, every])))
    series = np.concatenate([every, series])
    order = np.lexsort((starts, series))
    series, starts, stops = series[order], starts[order], stops[until]
    starts, stops = np.maximum(starts, first[series]), np.minimum(stops, last[series] + 1)
    some = stops > starts
    return series[some], starts[some], stops[some]


def forecast_windows(panel: Panel, lookback: int, horizon: int) -> Windows:
    """One window a series: the forecast from its end."""
    return Windows(panel, lookback, horizon, np.arange(len(panel)), panel.ends.copy())
