"""Distributions of symbols farther ahead than the next one."""

from __future__ import annotations

from typing import Any

from keras import ops

from forecaster.networks.kind import Said, State
from forecaster.networks.stepper import Stepper
from forecaster.networks.uniforms import uniforms

__all__ = ["marginals"]


def marginals(
    stepper: Stepper, said: Said, state: State, known: Any, static: Any, seed: Any, horizon: int, paths: int
) -> Any:
    """The distribution of every step: the mean of what the network says along sampled paths.

    What it says of step k, given the k − 1 symbols drawn before, is averaged, not what is drawn of it: no symbol gets a
    chance of zero, and few paths are enough. A drawn symbol is read as if it had been observed.

    Args:
        stepper: Whose kind is `Symbols`.
        said: Of the first step, a sequence of one.
        state: With which it was said.
        known: Of the horizon, (batch, horizon, known).
        static: (batch, static), or None.
        seed: int32, (batch,).
        horizon: Steps.
        paths: Samples.

    Returns:
        Probabilities, (batch, horizon, symbols).
    """
    told = [ops.exp(said["logarithms"])]
    if horizon > 1:
        chance = ops.reshape(uniforms(seed, horizon, paths), (-1, horizon))
        state = {name: ops.repeat(part, paths, axis=0) for name, part in state.items()}
        said = {name: ops.repeat(part, paths, axis=0) for name, part in said.items()}
        known = ops.repeat(known, paths, axis=0)
        static = None if static is None else ops.repeat(static, paths, axis=0)
    for step in range(1, horizon):
        value = stepper.kind.draw(said, chance[:, step - 1 : step])
        said, state = stepper.advance(value, value > 0, known[:, step : step + 1], static, state)
        size = said["logarithms"].shape[-1]
        told.append(ops.mean(ops.reshape(ops.exp(said["logarithms"]), (-1, paths, size)), axis=1, keepdims=True))
    return ops.concatenate(told, axis=1)
