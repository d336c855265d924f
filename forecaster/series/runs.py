"""Sequences to learn from one after the other, with a state that is carried from each to the next.

Every series is cut into equal runs, so that about `lanes` runs are read side by side ("sequence batching"); each lane
reads its runs in chunks of `length` steps, and a run begins with a new state. Ten numbers in two lanes are two
sequences of five::

    lane 0    0 1 2 3 4        in chunks of two:    0 1 | 2 3 | 4 ·
    lane 1    5 6 7 8 9                             5 6 | 7 8 | 9 ·

The step that is to be forecast from the last of a chunk is the first of the next one, so a chunk is cut out with one
step more than it is long.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.errors import DataError
from forecaster.series.filling import Filling, filled
from forecaster.series.panel import Panel
from forecaster.series.windows import Batch, Windows

__all__ = ["Runs", "Sequences", "lanes", "sequences"]


@dataclass(frozen=True)
class Sequences:
    """Steps to read and to forecast, side by side, in raw units; NaN means missing.

    Attributes:
        values: float32, shape (batch, steps + 1, 1 + known): target and known covariates. Every step but the last is
            read, every step but the first is forecast.
        static: float32, shape (batch, static covariates).
        begins: float32, shape (batch,): 1 where a sequence does not go on from the one before in its place.
        target: float32, shape (batch, steps): the steps that are forecast, NaN where that is not to be counted.
    """

    values: np.ndarray
    static: np.ndarray
    begins: np.ndarray
    target: np.ndarray

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What a network reads, by name; static covariates only if there are any."""
        static = {"static": self.static} if self.static.shape[1] else {}
        return {"values": self.values, "begins": self.begins, **static}


def sequences(batch: Batch, known: int, filling: Filling, counted: np.ndarray | None = None) -> Sequences:
    """Windows as sequences that each stand for themselves.

    Args:
        batch: Windows.
        known: How many columns, the last of `past`, are known covariates.
        filling: How gaps are filled in what is read; what counts stays as it was observed.
        counted: Which steps of lookback and horizon are to be forecast, boolean, (batch or 1, lookback + horizon); all
            of them by default.

    Returns:
        Sequences of lookback + horizon − 1 steps; what a short series leaves empty in front stands behind instead.
    """
    columns = [0, *range(batch.past.shape[2] - known, batch.past.shape[2])]
    future = np.concatenate([batch.target[:, :, None], batch.known], axis=2)
    values = np.concatenate([batch.past[:, :, columns], future], axis=1)
    target = values[:, :, 0] if counted is None else np.where(counted, values[:, :, 0], np.float32(np.nan))
    count, steps, _ = values.shape
    front = np.isfinite(values[:, :, 0]).argmax(axis=1)
    places = front[:, None] + np.arange(steps)
    inside, rows, places = places < steps, np.arange(count)[:, None], np.minimum(places, steps - 1)
    values = np.where(inside[:, :, None], values[rows, places], np.float32(np.nan))
    target = np.where(inside, target[rows, places], np.float32(np.nan))
    values[:, :, 0] = filled(values[:, :, 0], filling)
    return Sequences(values, batch.static, np.ones(count, np.float32), target[:, 1:])


def lanes(panel: Panel, series: int, starts: np.ndarray, length: int, warm: int, stop: int | None = None) -> Sequences:
    """Pieces of a series side by side, each read from some steps before it, so that a state is there when it begins.

    Args:
        panel: All data.
        series: Number of the series.
        starts: Place in its history of the first step to be forecast of each piece; shape (pieces,).
        length: Steps to be forecast of each.
        warm: Steps to be read before them, where there are so many.
        stop: One behind the last place to be forecast; the end of the series by default.

    Returns:
        Sequences of warm + length − 1 steps, of which only the steps of the piece itself are targets.
    """
    stop = len(panel.history(series)) if stop is None else stop
    last = starts + length - 1
    origins = panel.offsets[series] + last
    windows = Windows(panel, warm + length - 1, 1, np.full(len(starts), series), origins)
    places = last[:, None] + np.arange(1 - warm - length, 1)
    counted = (places >= starts[:, None]) & (places < stop)
    return sequences(windows.gather(slice(None)), len(panel.known_inputs), panel.filling, counted)


@dataclass(frozen=True)
class Runs:
    """The series of a panel, cut for learning with a carried state.

    Args:
        panel: Where the values lie; nothing behind its ends is read but known covariates.
        lanes: Sequences side by side.
        length: Steps a sequence.
        seed: Of the order in which lanes read their runs, a new one each time around.

    Raises:
        DataError: No series has two steps.

    Example:
        >>> from forecaster.series import panel_from_frame
        >>> import pandas as pd
        >>> numbers = panel_from_frame(pd.DataFrame({"ds": range(10), "y": np.arange(10.0)}))
        >>> runs = Runs(numbers, lanes=2, length=5, seed=1)
        >>> batch = runs.batch(0)
        >>> sorted(batch.values[:, :5, 0].tolist()), batch.target[batch.values[:, 0, 0] == 5].tolist()
        ([[0.0, 1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0, 9.0]], [[6.0, 7.0, 8.0, 9.0, nan]])
    """

    panel: Panel
    lanes: int
    length: int
    seed: int

    @cached_property
    def table(self) -> np.ndarray:
        """The runs: series, first row, one behind the last row; shape (runs, 3).

        A series is cut into as many equal runs as its share of all steps deserves of the lanes, at least one.
        """
        starts, lengths = self.panel.offsets[:-1], self.panel.lengths
        total = int(lengths.sum())
        rows = []
        for series in np.flatnonzero(lengths > 1):
            count = int(np.clip(round(self.lanes * lengths[series] / total), 1, lengths[series] // 2))
            edges = starts[series] + np.linspace(0, lengths[series], count + 1).round().astype(np.int64)
            rows += [(series, edges[place], edges[place + 1]) for place in range(count)]
        if not rows:
            raise DataError("no series has two steps to learn from; give more data or fewer forecast origins")
        return np.asarray(rows, np.int64)

    @cached_property
    def _packed(self) -> list[list[int]]:
        """The runs of each lane: the longest first, each to the lane that has least."""
        chunks = -(-(self.table[:, 2] - self.table[:, 1]) // self.length)
        lanes: list[list[int]] = [[] for _ in range(self.lanes)]
        loads = np.zeros(self.lanes, np.int64)
        for run in np.argsort(-chunks, kind="stable"):
            lane = int(loads.argmin())
            lanes[lane].append(int(run))
            loads[lane] += chunks[run]
        return lanes

    @cached_property
    def around(self) -> int:
        """Batches until every step has been read once."""
        chunks = -(-(self.table[:, 2] - self.table[:, 1]) // self.length)
        return int(max(sum(chunks[run] for run in lane) for lane in self._packed))

    def batch(self, step: int) -> Sequences:
        """The batch of a training step: a function of seed and step alone, so that a fit can be resumed.

        The batch of the next step goes on where this one ends, lane by lane, except where `begins` says otherwise.
        Lanes that have nothing left to read until the next time around are NaN.
        """
        turn, place = divmod(step, self.around)
        generator = np.random.default_rng([self.seed, turn])
        starts = np.full(self.lanes, -1, np.int64)
        runs = np.zeros(self.lanes, np.int64)
        for lane, members in enumerate(self._packed):
            before = 0
            for run in generator.permutation(members) if members else []:
                first, stop = self.table[run, 1:]
                chunks = -(-(stop - first) // self.length)
                if before <= place < before + chunks:
                    starts[lane], runs[lane] = first + (place - before) * self.length, run
                before += chunks
        return self._cut(starts, runs)

    @cached_property
    def _read(self) -> np.ndarray:
        """The target of all series, gaps filled as the panel says; shape (total steps,)."""
        read = self.panel.target.copy()
        for series in range(len(self.panel)):
            rows = slice(self.panel.offsets[series], self.panel.ends[series])
            read[rows] = filled(read[None, rows], self.panel.filling)[0]
        return read

    def _cut(self, starts: np.ndarray, runs: np.ndarray) -> Sequences:
        """The chunks from these rows on, one of each run; NaN behind the end of the run, and where a start is -1."""
        panel, idle = self.panel, starts < 0
        series, first, stop = self.table[runs].T
        rows = np.where(idle, first, starts)[:, None] + np.arange(self.length + 1)
        outside = idle[:, None] | (rows > stop[:, None]) | (rows >= panel.ends[series][:, None])
        places = np.minimum(rows, len(panel.values) - 1)
        known = panel.values[places][:, :, panel.known_columns]
        if panel.features:
            ticks = rows - panel.offsets[series][:, None] + panel.first[series][:, None]
            known = np.concatenate([known, panel.features.rows(ticks)], axis=2)
        values = np.concatenate([self._read[places][:, :, None], known], axis=2)
        values[outside] = np.nan
        target = np.where(outside, np.float32(np.nan), panel.target[places])[:, 1:]
        static = panel.static_values[series] if panel.static else np.zeros((self.lanes, 0), np.float32)
        return Sequences(values, static, (idle | (starts == first)).astype(np.float32), target)
