"""A scale that is carried from step to step: where values have lain so far, and how far they spread."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# The loop under all recurrent layers of Keras, on every backend; it has no public name.
from keras.src.backend import rnn

__all__ = ["RunningScale"]

SMALLEST_SPREAD = 1e-5
"""Share of the size of the values under which a spread counts as rounding noise."""


@keras.saving.register_keras_serializable(package="forecaster")
class RunningScale(keras.layers.Layer):
    """Mean and variance of what was observed up to each step, causal and updated one step at a time (Welford 1962).

    With n the values observed so far, but at most `memory`, and w = 1 / n where x is observed, else 0::

        mean[t]     = mean[t−1] + w (x − mean[t−1])
        variance[t] = (1 − w) (variance[t−1] + w (x − mean[t−1])²)      (1 − w) variance[t−1] + w x² unless `centred`
        spread[t]²  = (n variance[t] + (start · size)²) / (n + 1)

    So a scale is the exact moments of the first `memory` values, and forgets older ones at the rate 1 / memory from
    there on. A few values say little about their spread: `start`, the spread in shares of the size that training
    series have, stands for one observation more. A step without observation changes nothing. Both updates are linear
    in the moment before, so all steps of a sequence are computed at once, by doubling. No gradient goes
    through a scale.

    Args:
        channels: Values a step.
        memory: Observations after which older ones fade.
        centred: Whether there is a mean; without, it is 0 and the spread is a root mean square.

    Call arguments:
        values: Shape (batch, steps, channels), anything where missing.
        observed: Boolean, same shape.
        state: `count`, `mean` and `variance`, each (batch, channels); zeros before the first observation.
        size: What `start` is a share of, like `values`; by default the size of the mean.

    Returns:
        mean and spread behind each step, like `values`; and the new state.
    """

    def __init__(self, channels: int, memory: int, centred: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.memory, self.centred = channels, memory, centred
        self.widths = dict.fromkeys(("count", "mean", "variance"), channels)

    def build(self, *shapes: Any) -> None:
        """Makes `start`, which is set before training."""
        self.start = self.add_weight(shape=(self.channels,), initializer="zeros", trainable=False, name="start")
        self.built = True

    def call(
        self, values: Any, observed: Any, state: dict[str, Any], size: Any = None
    ) -> tuple[Any, Any, dict[str, Any]]:
        """See the class."""
        values, observed = ops.stop_gradient(values), ops.cast(observed, values.dtype)
        count = ops.minimum(state["count"][:, None] + ops.cumsum(observed, axis=1), float(self.memory))
        weight = observed / ops.maximum(count, 1.0)
        if self.centred:
            mean = _recursion(1.0 - weight, weight * values, state["mean"])
            before = ops.concatenate([state["mean"][:, None], mean[:, :-1]], axis=1)
        else:
            mean = before = ops.zeros_like(values)
        squares = (1.0 - weight if self.centred else 1.0) * weight * ops.square(values - before)
        variance = _recursion(1.0 - weight, squares, state["variance"])
        spread = self._spread(count, variance, ops.abs(mean) if size is None else ops.stop_gradient(size))
        new = {"count": count[:, -1], "mean": mean[:, -1], "variance": variance[:, -1]}
        return mean, spread, new

    def _spread(self, count: Any, variance: Any, size: Any) -> Any:
        spread = ops.sqrt((count * variance + ops.square(self.start * size)) / (count + 1.0))
        spread = ops.maximum(spread, SMALLEST_SPREAD * size)
        return ops.where(spread > 0, spread, 1.0)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        own = {"channels": self.channels, "memory": self.memory, "centred": self.centred}
        return {**super().get_config(), **own}


def _recursion(factor: Any, term: Any, start: Any) -> Any:
    """All y[t] = factor[t] · y[t−1] + term[t], with y[−1] = start; like factor and term, start without their steps.

    By doubling (Hillis and Steele 1986): behind the round of a reach r, the first 2r of `done` are there, and of the
    others each is what the 2r steps up to it make of zero. `ops.associative_scan` does less arithmetic, by a graph of a
    thousand operations, which costs more than the arithmetic. A number of steps that no graph knows is walked through.
    """
    if factor.shape[1] is None:
        return _walk(factor, term, start)
    first = factor[:, :1] * start[:, None] + term[:, :1]
    if factor.shape[1] == 1:
        return first
    done, products, reach = ops.concatenate([first, term[:, 1:]], axis=1), factor[:, 1:], 1
    while reach < factor.shape[1]:
        done = ops.concatenate([done[:, :reach], done[:, reach:] + products * done[:, :-reach]], axis=1)
        products = products[:, reach:] * products[:, :-reach]
        reach *= 2
    return done


def _walk(factor: Any, term: Any, start: Any) -> Any:
    def step(now: Any, before: list[Any]) -> tuple[Any, list[Any]]:
        by, more = ops.split(now, 2, axis=-1)
        after = by * before[0] + more
        return after, [after]

    return rnn(step, ops.concatenate([factor, term], axis=-1), [start])[1]
