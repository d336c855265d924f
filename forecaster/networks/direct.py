"""Direct forecasts: no step of the horizon reads another's outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.networks.cycles import CycleBase
from forecaster.networks.features import Features, segments
from forecaster.networks.heads import NaiveBase
from forecaster.networks.recurrence import layers, recurrence
from forecaster.networks.shape import Shape
from forecaster.networks.steps import StepBias, at_each_step, each_step

__all__ = ["many_to_one", "one_to_many"]


def many_to_one(
    features: Features, definition: ModelDefinition, shape: Shape, seeds: Iterator[int]
) -> tuple[Any, keras.Variable]:
    """The recurrence reads the lookback; its last state says all steps and quantiles.

    Args:
        features: Of the window.
        definition: The model file.
        shape: Of the network.
        seeds: Where initial weights take their seeds from.

    Returns:
        Free numbers (batch, horizon, quantiles) for `heads.Quantiles`, and their bias.
    """
    state = recurrence(definition, seeds)(segments(features.steps, shape))
    if definition.dropout:
        state = keras.layers.Dropout(definition.dropout, seed=next(seeds))(state)
    if features.static is not None:
        state = keras.layers.Concatenate()([state, features.static])
    count = shape.numbers
    head = keras.layers.Dense(shape.horizon * count, kernel_initializer="zeros", name="head")
    free = keras.layers.Reshape((shape.horizon, count))(head(state))
    beside = [] if features.coming is None else [features.coming]
    if features.cycles is not None:
        beside += features.cycles
        shift = CycleBase(shape.cycle, name="cycle_base")(state, *features.cycles)
        free = free + _to_the_median(shift, shape)
    if beside:
        free = free + _from_beside(state, beside, features, shape, seeds)
    return free, head.bias


def one_to_many(
    features: Features, definition: ModelDefinition, shape: Shape, seeds: Iterator[int]
) -> tuple[Any, keras.Variable]:
    """The recurrence begins with the last value and goes over the horizon, where it reads what is known of each step.

    Of the lookback it sees the last value (under `difference` and `log_return` the last change), the frame and the
    naive base.

    Args:
        features: Of the window.
        definition: The model file.
        shape: Of the network.
        seeds: Where initial weights take their seeds from.

    Returns:
        As `many_to_one`.
    """
    one = [NaiveBase((1,), 1, name="last_value")(features.scaled, features.observed)]
    one += [] if features.static is None else [features.static]
    seen = keras.layers.Concatenate()(one) if len(one) > 1 else one[0]
    base = keras.layers.Reshape((shape.horizon, 1))(features.base)
    state = keras.layers.Concatenate()([base, *each_step(features, shape)])
    for layer in layers(definition, seeds, return_sequences=True):
        sizes = layer.state_size if isinstance(layer.state_size, list | tuple) else [layer.state_size]
        begin = [_dense(size, seeds, activation="tanh")(seen) for size in sizes]
        state = layer(state, initial_state=begin)
    if definition.dropout:
        state = keras.layers.Dropout(definition.dropout, seed=next(seeds))(state)
    free = keras.layers.Dense(shape.numbers, use_bias=False, kernel_initializer="zeros", name="head")(state)
    own = StepBias(name="step_bias")
    return own(free), own.bias


def _to_the_median(shift: Any, shape: Shape) -> Any:
    """Free numbers that move the median, and with it all quantiles, by a shift (batch, horizon)."""
    middle = shape.numbers // 2
    return ops.pad(shift[:, :, None], [[0, 0], [0, 0], [middle, shape.numbers - 1 - middle]])


def _from_beside(state: Any, beside: list[Any], features: Features, shape: Shape, seeds: Iterator[int]) -> Any:
    """What is known of each step, or was seen at its place before, moves its quantiles in the light of the state."""
    context = at_each_step(_dense(32, seeds)(state), features.base)
    hidden = _dense(64, seeds, activation="relu")(keras.layers.Concatenate()([context, *beside]))
    return keras.layers.Dense(shape.numbers, kernel_initializer="zeros", name="known_head")(hidden)


def _dense(units: int, seeds: Iterator[int], activation: str | None = None) -> keras.layers.Layer:
    start = keras.initializers.GlorotUniform(seed=next(seeds))
    return keras.layers.Dense(units, activation, kernel_initializer=start)
