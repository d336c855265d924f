"""Windows made of two: a network that sees mixtures learns no series by heart.

TSMix (Ansari et al. 2024, after mixup of Zhang et al. 2018): a convex combination of two windows, each in a unit of its
own, is a window that could have been. Only windows without covariates are mixed: these would have to be mixed, too, and
a mixture of two holidays is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.series import Batch, Panel

__all__ = ["mixed", "mixing", "refuse_mixing"]

SHAPE = 1.5
"""Of the beta distribution (both parameters) of a window's share in its mixture."""
STREAM = 1
"""What tells the draws of mixtures from those of windows."""


def refuse_mixing(panel: Panel, definition: ModelDefinition) -> None:
    """Refuses a model file that asks for mixtures of what cannot be mixed.

    Raises:
        DefinitionError: There are covariates, or counts are learnt.
    """
    if definition.mixing in ("auto", 0.0):
        return
    if panel.past or panel.known_inputs or panel.static:
        what = "these data have covariates"
    elif definition.head == "negative_binomial":
        what = "mixtures of counts are no counts"
    else:
        return
    raise DefinitionError(
        f"{definition.name}: mixing: {definition.mixing:g}, but {what}; write mixing: 0, or leave it out"
    )


def mixing(batch: Callable[[int], Batch], share: float, transform: str, seed: int) -> Callable[[int], Batch]:
    """The same batches, in which some windows are mixtures.

    Args:
        batch: The batch of a step, of windows that have no covariates.
        share: Of its windows that become mixtures with another one of them.
        transform: The network's: on logarithms mixtures are geometric.
        seed: Of the fit; mixtures are a function of it and of the step alone.
    """

    def shown(step: int) -> Batch:
        return mixed(batch(step), share, transform, np.random.default_rng([seed, step, STREAM]))

    return shown


def mixed(batch: Batch, share: float, transform: str, generator: np.random.Generator) -> Batch:
    """Puts a mixture in the place of some windows: on logarithms the weighted geometric mean, else the weighted mean.

    Outside of logarithms a partner is brought to the mean and the spread of the window's lookback before. A step that
    one of the two has not observed is missing in the mixture.

    Args:
        batch: Windows without covariates.
        share: Of them that become mixtures.
        transform: See `mixing`.
        generator: Of partners and weights.

    Example:
        >>> two = Batch(np.array([[[1.0]], [[4.0]]]), np.zeros((2, 1, 0)), np.zeros((2, 0)), np.array([[2.0], [8.0]]))
        >>> mixed(two, 0.0, "log", np.random.default_rng(1)).target.tolist()
        [[2.0], [8.0]]
    """
    from forecaster.networks.frame import logarithmic

    count, lookback = batch.past.shape[:2]
    partner = generator.permutation(count)
    own = np.where(generator.random(count) < share, generator.beta(SHAPE, SHAPE, count), 1.0).astype(np.float32)
    rows = np.flatnonzero(own < 1.0)
    partner, own = partner[rows], own[rows, None]
    values = np.concatenate([batch.past[:, :, 0], batch.target], axis=1)
    mixture = _geometric if logarithmic(transform) else _arithmetic
    made = mixture(values[rows], values[partner], own, lookback)
    past, target = batch.past.copy(), batch.target.copy()
    past[rows, :, 0], target[rows] = made[:, :lookback], made[:, lookback:]
    return replace(batch, past=past, target=target)


def _geometric(first: np.ndarray, second: np.ndarray, own: np.ndarray, lookback: int) -> np.ndarray:
    """Missing where one of the two has no logarithm."""
    logs = [np.log(np.where(values > 0, values, np.nan)) for values in (first, second)]
    return np.asarray(np.exp(own * logs[0] + (1 - own) * logs[1]))


def _arithmetic(first: np.ndarray, second: np.ndarray, own: np.ndarray, lookback: int) -> np.ndarray:
    """The second in the place and the spread of the first; flat where its own lookback is."""
    from forecaster.networks.frame import SMALLEST_SPREAD

    (level, spread), (other, width) = (_moments(values[:, :lookback]) for values in (first, second))
    flat = width <= SMALLEST_SPREAD * np.abs(other)
    alike = level + (second - other) * np.where(flat, 0.0, spread / np.where(flat, 1.0, width))
    return np.asarray(own * first + (1 - own) * alike)


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of what is observed in each row, shape (rows, 1)."""
    seen = np.isfinite(values)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    mean = np.where(seen, values, 0.0).sum(axis=1, keepdims=True) / count
    variance = np.where(seen, values - mean, 0.0) ** 2
    return mean, np.sqrt(variance.sum(axis=1, keepdims=True) / count)
