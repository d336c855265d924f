"""Forecasts step by step from their own medians: encoder-decoder, and one step from the one before.

The quantiles of step k hold for what is fed back, the medians of the steps before it: they are learnt against what
came, not against what would have come if the medians had been right, so they widen with k as the errors do. Where
training reads true values (teacher forcing) they are learnt for one step only; `scheduled_sampling` takes that away
over the fit, and the stretch that is found on held-out windows is one of each step's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from forecaster.config import ModelDefinition
from forecaster.networks.features import Features, segments
from forecaster.networks.feedback import Decoder, FeedForwardCell
from forecaster.networks.heads import NaiveBase
from forecaster.networks.recurrence import cells, layers
from forecaster.networks.shape import Shape
from forecaster.networks.steps import each_step

__all__ = ["Teacher", "encoder_decoder", "one_to_one"]


@dataclass(frozen=True)
class Teacher:
    """Which steps of a decoder read the true value in training; the others read their own last median.

    The chance that a step does begins at `share` and falls over the fit (Bengio, Vinyals, Jaitly and Shazeer 2015,
    Scheduled sampling): linearly, as exp(−4.6 progress), or as 1 / (1 + exp(12 (progress − 1/2))).

    Args:
        share: That chance at the beginning.
        schedule: `none`, `linear`, `exponential` or `inverse_sigmoid`.
        steps: Of the whole fit.
        seed: Of the draws; what is drawn at a step depends on nothing else.
    """

    share: float
    schedule: str
    steps: int
    seed: int

    def chance(self, step: int) -> float:
        """The chance at a step of the fit.

        Example:
            >>> [Teacher(1.0, "linear", 100, 0).chance(step) for step in (0, 25, 100)]
            [1.0, 0.75, 0.0]
        """
        done = min(step / self.steps, 1.0)
        falling = {
            "none": 1.0,
            "linear": 1.0 - done,
            "exponential": math.exp(-4.6 * done),
            "inverse_sigmoid": 1.0 / (1.0 + math.exp(12.0 * (done - 0.5))),
        }
        return self.share * falling[self.schedule]

    def taught(self, target: np.ndarray, step: int | None) -> np.ndarray:
        """The targets that are shown at a step, NaN for the others; without a step, as in forecasting, none."""
        if step is None:
            return np.full_like(target, np.nan)
        shown = np.random.default_rng([self.seed, step]).random(target.shape) < self.chance(step)
        return np.where(shown, target, np.float32(np.nan))


def encoder_decoder(
    features: Features, definition: ModelDefinition, shape: Shape, seeds: Iterator[int], taught: Any
) -> tuple[Any, Any, keras.Variable]:
    """One recurrence reads the lookback, another begins with its states and says the horizon (Sutskever et al. 2014).

    Args:
        features: Of the window.
        definition: The model file.
        shape: Of the network.
        seeds: Where initial weights take their seeds from.
        taught: True values that training reads, in the units of the frame, NaN elsewhere; (batch, horizon).

    Returns:
        Free numbers (batch, horizon, quantiles) for `heads.Quantiles` as in forecasting, as in training, their bias.
    """
    sequence, states = segments(features.steps, shape), []
    for layer in layers(definition, seeds, return_sequences=True, return_state=True):
        sequence, hidden, *others = layer(sequence)
        if definition.dropout:
            hidden = keras.layers.Dropout(definition.dropout, seed=next(seeds))(hidden)
        states += [hidden, *others]
    return _decoded(cells(definition, seeds), states, features, shape, taught)


def one_to_one(
    features: Features, definition: ModelDefinition, shape: Shape, seeds: Iterator[int], taught: Any
) -> tuple[Any, Any, keras.Variable]:
    """A network without memory goes from one value to the next, and from that to the next; see `encoder_decoder`."""
    dropped = [*[0.0] * (definition.depth - 1), definition.dropout]
    stack = [FeedForwardCell(definition.units, next(seeds), dropout) for dropout in dropped]
    return _decoded(stack, [], features, shape, taught)


def _decoded(
    stack: list[keras.layers.Layer], states: list[Any], features: Features, shape: Shape, taught: Any
) -> tuple[Any, Any, keras.Variable]:
    seasons = () if shape.transform in ("difference", "log_return") else (1,)
    start = NaiveBase(seasons, 1, name="last_value")(features.scaled, features.observed)
    parts = each_step(features, shape)
    coming = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0] if parts else None
    decoder = Decoder(stack, shape.numbers, name="decoder")
    said = decoder(features.base, start, states=states, coming=coming)
    learnt = decoder(features.base, start, taught=taught, states=states, coming=coming)
    return said, learnt, decoder.bias
