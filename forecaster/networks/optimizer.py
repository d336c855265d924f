"""The optimiser of a model file: AdamW or Adagrad, warm-up, decay, and a gradient that is clipped and watched."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.networks.replicas import replicas, total

__all__ = ["ClippedAdagrad", "ClippedAdamW", "WarmCosine", "optimizer"]

TINY = 1e-8
"""Adagrad's ε."""
LEFT = 0.01
"""Share of the peak at which the learning rate ends."""
MEANS, SQUARES, SMALL = 0.9, 0.999, 1e-7
"""β₁, β₂ and ε."""


@keras.saving.register_keras_serializable(package="forecaster")
class WarmCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises in a line to its peak and falls as a cosine to a share of it.

    Its numbers can be set anew, so that a second course needs no second compilation.

    Args:
        peak: The highest rate.
        steps: Of the course.
        warmup: Steps of the rise; fewer than `steps` count.
        left: Share of the peak at the end; 1 keeps the rate.
    """

    def __init__(self, peak: float, steps: int, warmup: int, left: float = LEFT) -> None:
        super().__init__()
        self.left = left
        self.course = keras.Variable([0.0, 0.0, 0.0], trainable=False, dtype="float32", name="course")
        self.set(peak, steps, warmup)

    def set(self, peak: float, steps: int, warmup: int) -> None:
        """Sets the numbers of a course; see the class."""
        self.course.assign([peak, float(steps), float(min(warmup, steps - 1))])

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        peak, steps, warmup = self.course[0], self.course[1], self.course[2]
        step = ops.cast(step, "float32")
        share = ops.clip((step - warmup) / ops.maximum(steps - warmup, 1.0), 0.0, 1.0)
        falling = self.left + (1.0 - self.left) * 0.5 * (1.0 + ops.cos(math.pi * share))
        return peak * ops.where(step < warmup, step / ops.maximum(warmup, 1.0), falling)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the schedule."""
        peak, steps, warmup = (float(number) for number in ops.convert_to_numpy(self.course))
        return {"peak": peak, "steps": int(steps), "warmup": int(warmup), "left": self.left}


class _Clipped(keras.optimizers.Optimizer):
    """An optimiser that clips by value, then by norm, counts how often that bit, and averages the weights.

        average ← averaging · average + (1 − averaging) · w, which begins with the weights behind the first step

    Keras' own options for clipping exclude each other and tell nothing. Clipping by norm keeps the direction of the
    gradient (Pascanu, Mikolov and Bengio 2013), by value bends it but heeds single numbers.

    Args:
        learning_rate: A number or a schedule.
        largest_value: Numbers of the gradient are cut to plus and minus this; None leaves them.
        largest_norm: The whole gradient is shortened to this norm; None leaves it.
        averaging: Of the running mean of the weights, see `finalize_variable_values`; None keeps none.
        **kwargs: As for `keras.optimizers.Optimizer`.

    Attributes:
        clipped: Steps at which anything was cut since the last `reset_watch`.
        steepest: Largest norm since then, before anything was cut.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        *,
        largest_value: float | None = None,
        largest_norm: float | None = None,
        averaging: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.largest_value, self.largest_norm, self.averaging = largest_value, largest_norm, averaging

    def build(self, variables: Any) -> None:
        """Makes the running mean, the moments, and the two numbers that are watched."""
        if self.built:
            return
        super().build(variables)
        self.averages = self.add_optimizer_variables(variables, "average") if self.averaging else []
        self._make_moments(variables)
        self.clipped = self.add_variable(shape=(), name="clipped")
        self.steepest = self.add_variable(shape=(), name="steepest")

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Clips the gradients, those of all replicas together, then makes the step."""
        if not self.built:
            self.build(trainable_variables)
        weights = self._trainable_variables if trainable_variables is None else trainable_variables
        grads = total([_dense(grad, weight) for grad, weight in zip(grads, weights, strict=True)])
        norm = _norm(grads)
        bites = ops.zeros_like(norm)
        if self.largest_value is not None:
            limit = self.largest_value
            peak = ops.max(ops.stack([ops.max(ops.abs(grad)) for grad in grads]))
            bites = ops.maximum(bites, ops.cast(peak > limit, norm.dtype))
            grads = [ops.clip(grad, -limit, limit) for grad in grads]
        if self.largest_norm is not None:
            left = norm if self.largest_value is None else _norm(grads)
            bites = ops.maximum(bites, ops.cast(left > self.largest_norm, norm.dtype))
            # an infinite norm makes the gradient NaN, so that the fit ends with a reason
            scale = self.largest_norm * ops.minimum(1.0 / left, 1.0 / self.largest_norm) + (left - left)
            grads = [grad * scale for grad in grads]
        self.clipped.assign_add(bites)
        self.steepest.assign(ops.maximum(self.steepest, norm))
        self._begin_step()
        if context := replicas():  # Keras adds them up once more
            grads = [grad / context.num_replicas_in_sync for grad in grads]
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """The step of one weight, and of its running mean."""
        place = self._get_variable_index(variable)
        value = self._stepped(gradient, variable, learning_rate, place)
        self.assign(variable, value)
        if self.averaging:
            average = self.averages[place]
            self.assign(average, value + self._stays * (average - value))

    def _make_moments(self, variables: Any) -> None:
        raise NotImplementedError

    def _begin_step(self) -> None:
        """What is the same for all weights: how much of the running mean stays."""
        self._stays = ops.minimum(ops.cast(self.iterations, "float32"), 1.0) * (self.averaging or 0.0)

    def _stepped(self, gradient: Any, variable: Any, rate: Any, place: int) -> Any:
        """The new value of the weight at a place, whose moments move with it."""
        raise NotImplementedError

    def finalize_variable_values(self, var_list: Any) -> None:
        """Sets the weights to their running means."""
        for variable, average in zip(var_list, self.averages, strict=True):
            variable.assign(average)

    def restart(self, peak: float, steps: int, warmup: int) -> None:
        """Begins a new course from the weights as they are: nothing of the one before is remembered.

        The running mean of the weights begins anew with the first step, as Keras does at iteration 0.

        Args are those of `WarmCosine`, which must be the schedule.
        """
        for variable in self.variables:
            variable.assign(ops.zeros_like(variable))
        self._learning_rate.set(peak, steps, warmup)

    def reset_watch(self) -> tuple[float, float]:
        """`clipped` and `steepest`, which begin anew."""
        seen = float(ops.convert_to_numpy(self.clipped)), float(ops.convert_to_numpy(self.steepest))
        for number in (self.clipped, self.steepest):
            number.assign(0.0)
        return seen

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the optimiser."""
        own = {name: getattr(self, name) for name in ("largest_value", "largest_norm", "averaging")}
        config = super().get_config()
        return {name: config[name] for name in ("name", "learning_rate")} | own


@keras.saving.register_keras_serializable(package="forecaster")
class ClippedAdamW(_Clipped):
    """AdamW (Loshchilov and Hutter 2019), clipped, watched and averaged.

        w ← w − decay · rate · w
        m ← m + (1 − β₁)(g − m);  v ← v + (1 − β₂)(g² − v);  w ← w − rate · c_t · m / (√v + ε)

    with c_t = √(1 − β₂ᵗ) / (1 − β₁ᵗ). The numbers are those of `keras.optimizers.AdamW`, whose graph for a network of a
    dozen weights is three times as large: it works the rate and c_t out for each weight anew.

    Args:
        learning_rate: A number or a schedule.
        decay: Share of each weight that is taken off at a rate of one.
        **kwargs: How it is clipped and averaged: `largest_value`, `largest_norm`, `averaging`.
    """

    def __init__(self, learning_rate: Any = 0.001, decay: float = 0.004, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.decay = decay

    def _make_moments(self, variables: Any) -> None:
        self.means, self.squares = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def _begin_step(self) -> None:
        super()._begin_step()
        done = ops.cast(self.iterations, "float32")
        self._corrected = ops.sqrt(1.0 - ops.power(SQUARES, done + 1.0)) / (1.0 - ops.power(MEANS, done + 1.0))

    def _stepped(self, gradient: Any, variable: Any, rate: Any, place: int) -> Any:
        mean, square = self.means[place], self.squares[place]
        first = mean + (1.0 - MEANS) * (gradient - mean)
        second = square + (1.0 - SQUARES) * (ops.square(gradient) - square)
        self.assign(mean, first)
        self.assign(square, second)
        return variable - (rate * self.decay) * variable - (rate * self._corrected) * first / (ops.sqrt(second) + SMALL)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the optimiser."""
        return {**super().get_config(), "decay": self.decay}


@keras.saving.register_keras_serializable(package="forecaster")
class ClippedAdagrad(_Clipped):
    """Adagrad (Duchi, Hazan and Singer 2011), clipped, watched and averaged; nothing else is taken off.

    v ← v + g², which begins with zero;  w ← w − rate · g / √(v + ε)
    """

    def _make_moments(self, variables: Any) -> None:
        self.squares = self.add_optimizer_variables(variables, "accumulator")

    def _stepped(self, gradient: Any, variable: Any, rate: Any, place: int) -> Any:
        square = self.squares[place] + ops.square(gradient)
        self.assign(self.squares[place], square)
        return variable - rate * gradient / ops.sqrt(square + TINY)


def optimizer(definition: ModelDefinition) -> ClippedAdamW | ClippedAdagrad:
    """The optimiser that a model file describes."""
    left = LEFT if definition.decay == "cosine" else 1.0
    rate = WarmCosine(definition.learning_rate, definition.steps, definition.warmup, left)
    watched: dict[str, Any] = {
        "largest_value": definition.clipvalue, "largest_norm": definition.clipnorm,
        "averaging": definition.averaging or None,
    }  # fmt: skip
    if definition.optimizer == "adagrad":
        return ClippedAdagrad(rate, **watched)
    return ClippedAdamW(rate, definition.weight_decay, **watched)


def _dense(grad: Any, weight: Any) -> Any:
    """A gradient as numbers: zeros where there is none.

    TensorFlow's gradient of an embedding is a list of rows, one for each place at which one was read; those of the same
    row are added up before any norm or square is taken.
    """
    if grad is None:
        return ops.zeros_like(weight)
    return ops.zeros_like(weight) + grad if hasattr(grad, "indices") else grad


def _norm(grads: Any) -> Any:
    return ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(grad)) for grad in grads])))
