"""What a fit is fed: a sample to prepare from, a batch for every step, and what was held out to stop by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecaster.config import ModelDefinition
from forecaster.errors import DataError
from forecaster.forecasting.defaults import Resolved
from forecaster.forecasting.masking import masking
from forecaster.forecasting.mixing import mixing
from forecaster.forecasting.sparing import calibration_windows, learnt
from forecaster.series import Batch, Panel, Windows, forecast_windows, training_windows
from forecaster.series.runs import Runs, Sequences, lanes, sequences
from forecaster.series.stretches import missing_stretches
from forecaster.series.windows import NOTHING_TO_STOP_BY

__all__ = ["Examples", "Lessons", "gapless", "sample", "sequence_lessons", "window_batches", "window_lessons"]

SAMPLE = 512
"""Windows by which a network is prepared, and most windows by which a fit is stopped."""
MOST_STEPS = 50_000
"""Steps of sequences by which a network is prepared or a fit is stopped, about; one sequence at least."""
LONG_TEXT = 2_000
"""Symbols beyond which a fit is not stopped by a whole series but by pieces of it."""
PIECE = 250
"""Steps of a piece of a very long series by which a fit is stopped, and steps that are read before it."""


class Examples(Protocol):
    """A batch: inputs by name, and what should be said."""

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What the network reads."""

    @property
    def target(self) -> np.ndarray:
        """What it should say, NaN where nothing counts."""


@dataclass(frozen=True)
class Lessons:
    """All that a fit reads of a panel.

    Attributes:
        sample: Of the training part.
        batch: The batch of a step, a function of the step alone.
        held_out: Of the validation part.
        around: Steps in which all is read once; None where batches are drawn at random.
        calibration: By which intervals are calibrated; None where that is the validation part alone.
    """

    sample: Examples
    batch: Callable[[int], Examples]
    held_out: Examples
    around: int | None = None
    calibration: Examples | None = None


def window_lessons(
    panel: Panel, border: np.ndarray, resolved: Resolved, horizon: int, definition: ModelDefinition, seed: int
) -> Lessons:
    """Windows drawn at random, each by itself.

    Args:
        panel: The fitting part.
        border: Ticks behind which it validates.
        resolved: Lookback, and what is spared.
        horizon: Steps to forecast.
        definition: Batch size, share of mixtures and of what is hidden.
        seed: Of the draws.
    """
    lookback, spared = resolved.lookback, resolved.spared
    every = training_windows(panel.until(border), lookback, horizon)
    windows = learnt(every, spared)
    if not len(windows):  # nothing was observed but there
        windows, spared = every, ()
    held_out = training_windows(panel, lookback, horizon).after(border)
    both = calibration_windows(panel, border, lookback, horizon, spared, 2 * SAMPLE)[0] if spared else None
    return Lessons(
        sample(windows),
        window_batches(windows, resolved, definition, seed),
        sample(held_out),
        calibration=both,
    )


def sample(windows: Windows) -> Batch:
    """Windows evenly spread over all, as many as a fit is prepared with."""
    return windows.gather(windows.spread(SAMPLE))


def window_batches(
    windows: Windows, resolved: Resolved, definition: ModelDefinition, seed: int
) -> Callable[[int], Batch]:
    """Batches of windows drawn at random, with segments hidden, some of them mixtures of two.

    What is hidden of one is missing in the mixture, so these miss twice as much.

    Args:
        windows: To draw from.
        resolved: Transform, segment.
        definition: Batch size, share of mixtures and of what is hidden.
        seed: Of the draws.
    """

    def batch(step: int) -> Batch:
        return windows.gather(windows.draw(int(definition.batch_size), seed, step))

    hidden, mixtures = float(definition.masking), float(definition.mixing)
    shown = masking(batch, hidden, resolved.segment, seed) if hidden else batch
    return mixing(shown, mixtures, resolved.transform, seed) if mixtures else shown


def sequence_lessons(
    panel: Panel, border: np.ndarray, resolved: Resolved, horizon: int, definition: ModelDefinition, seed: int
) -> Lessons:
    """Sequences: windows at random whose every step is forecast, or runs in their order, with the state carried on.

    Args are those of `window_lessons`. A fit with a carried state is held against the validation part with all that
    came before it, as it will forecast.
    """
    seen, known, lookback = panel.until(border), len(panel.known_inputs), resolved.lookback
    windows = training_windows(seen, lookback, horizon)
    some = min(SAMPLE, max(MOST_STEPS // (lookback + horizon), 1))
    sample = sequences(windows.gather(windows.spread(some)), known, panel.filling)
    if definition.carry_state:
        runs = Runs(seen, int(definition.batch_size), definition.truncate or lookback, seed)
        long = int(panel.lengths.max()) > (LONG_TEXT if panel.symbols else MOST_STEPS)
        behind = _pieces(panel, border) if long else _whole_series(panel, border, known)
        return Lessons(sample, runs.batch, behind, runs.around)
    later = training_windows(panel, lookback, horizon).after(border)
    counted = np.arange(lookback + horizon)[None] >= lookback
    held_out = sequences(later.gather(later.spread(some)), known, panel.filling, counted)

    def batch(step: int) -> Examples:
        return sequences(windows.gather(windows.draw(int(definition.batch_size), seed, step)), known, panel.filling)

    return Lessons(sample, batch, held_out)


def _judging(panel: Panel, border: np.ndarray) -> np.ndarray:
    """Numbers of the series of which something is observed behind the border: others, that ended, judge no fit.

    Raises:
        DataError: There is none.
    """
    begins = np.clip(border - panel.first + 1, 0, panel.lengths)
    some = [np.isfinite(panel.history(one)[begins[one] :]).any() for one in range(len(panel))]
    if not any(some):
        raise DataError(NOTHING_TO_STOP_BY)
    return np.flatnonzero(some)


def _whole_series(panel: Panel, border: np.ndarray, known: int) -> Sequences:
    """Series from their start to their end, of which the steps behind the border count; some, if they are many."""
    judging = _judging(panel, border)
    longest = int(panel.lengths[judging].max())
    chosen = judging[np.unique(np.linspace(0, len(judging) - 1, max(MOST_STEPS // longest, 1)).astype(np.int64))]
    some = panel.select(chosen)
    batch = forecast_windows(some, longest, 1).gather(slice(None))
    ticks = some.last[:, None] + np.arange(1 - longest, 2)
    return sequences(batch, known, panel.filling, ticks > border[chosen][:, None])


def _pieces(panel: Panel, border: np.ndarray) -> Sequences:
    """Pieces of what is behind the border of the longest series that goes on there, each begun a little before it."""
    judging = _judging(panel, border)
    series = int(judging[panel.lengths[judging].argmax()])
    stop = int(panel.lengths[series])
    first = int(border[series] - panel.first[series]) + 1
    length = min(PIECE, stop - first)
    count = min(MOST_STEPS // (PIECE + length), -(-(stop - first) // length))
    return lanes(panel, series, np.linspace(first, stop - length, count).astype(np.int64), length, PIECE)


def gapless(panel: Panel, transform: str = "none") -> bool:
    """Whether no value is missing between the first and the last one of any series, as a network reads them.

    Args:
        panel: What it learns from.
        transform: Under logarithms a value that has none is missing.
    """
    if transform in ("log", "log_return") and (panel.target <= 0).any():
        return False
    if panel.filling != "none":
        return True
    gaps = missing_stretches(panel.target, panel.offsets)
    until = np.diff(panel.offsets)[gaps.series]
    return not ((gaps.starts > 0) & (gaps.starts + gaps.lengths < until)).any()
