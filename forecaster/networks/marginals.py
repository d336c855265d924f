"""Distributions of symbols farther ahead than the next one."""

from __future__ import annotations

from typing import Any

from keras import ops

from forecaster.networks.kind import Said, State
from forecaster.networks.stepper import Stepper
from forecaster.networks.uniforms import uniforms

__all__ = ["marginals", "sampled"]


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


def sampled(
    stepper: Stepper, said: Said, state: State, chance: Any, known: Any, static: Any, temperature: float
) -> tuple[Any, Said, State]:
    """Draws some symbols one after the other, each read before the next is drawn.

    Args:
        stepper: Whose kind is `Symbols`.
        said: Of the first of them, a sequence of one.
        state: With which it was said.
        chance: Uniform numbers, (batch, steps).
        known: Of the steps behind the first, (batch, steps, known).
        static: (batch, static), or None.
        temperature: See `Symbols.draw_from`; 0 takes the likeliest.

    Returns:
        Places in the vocabulary, (batch, steps); what is said of the step behind them, and the state.
    """
    drawn: list[Any] = []
    kind: Any = stepper.kind
    for step in range(chance.shape[1]):
        logarithms = said["logarithms"][:, :, 1:]
        uniform = chance[:, step : step + 1]
        value = kind.draw_from(logarithms, uniform, temperature) if temperature > 0 else kind.expected(said)
        drawn.append(value)
        said, state = stepper.advance(value, value > 0, known[:, step : step + 1], static, state)
    return ops.concatenate(drawn, axis=1), said, state
