"""Cycles of the lookback that a network does not get to see in training, so that it leans on no single one of them.

Where one day stands for another, a network learns of few data which days were alike. Hidden at random, as units are by
dropout, each must stand in for the others; and a window with missing values is nothing new when it comes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from forecaster.series import Batch

__all__ = ["masked", "masking"]

STREAM = 2
"""What tells the draws of masks from those of windows and mixtures."""


def masking(batch: Callable[[int], Batch], share: float, segment: int, seed: int) -> Callable[[int], Batch]:
    """The same batches, of whose lookbacks some segments are hidden.

    Args:
        batch: The batch of a step.
        share: Of the segments, on average.
        segment: Time steps that are hidden together.
        seed: Of the fit; masks are a function of it and of the step alone.
    """

    def shown(step: int) -> Batch:
        return masked(batch(step), share, segment, np.random.default_rng([seed, step, STREAM]))

    return shown


def masked(batch: Batch, share: float, segment: int, generator: np.random.Generator) -> Batch:
    """Hides segments of the target's lookback: of every window another share, of which the mean is given.

    The last segment is never hidden, nor are all values of a window. Covariates stay as they are.

    Args:
        batch: Windows.
        share: Of the segments that is hidden on average, at most 0.5.
        segment: Time steps; segments are counted from the end of the lookback.
        generator: Of the masks.

    Example:
        >>> one = Batch(np.arange(6.0).reshape(1, 6, 1), np.zeros((1, 1, 0)), np.zeros((1, 0)), np.ones((1, 1)))
        >>> masked(one, 0.5, 2, np.random.default_rng(1)).past[0, :, 0].tolist()
        [0.0, 1.0, nan, nan, 4.0, 5.0]
    """
    count, lookback = batch.past.shape[:2]
    rate = 2 * share * generator.random((count, 1))
    hidden = generator.random((count, -(-lookback // segment))) < rate
    hidden[:, -1] = False
    steps = np.repeat(hidden, segment, axis=1)[:, -lookback:]
    seen = np.isfinite(batch.past[:, :, 0])
    steps &= (seen & ~steps).any(axis=1, keepdims=True)
    past = batch.past.copy()
    past[:, :, 0][steps] = np.nan
    return replace(batch, past=past)
