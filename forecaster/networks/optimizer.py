"""The optimiser of a model file: AdamW with warm-up, cosine decay, and a gradient that is clipped and watched."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from forecaster.config import ModelDefinition

__all__ = ["ClippedAdamW", "optimizer"]


@keras.saving.register_keras_serializable(package="forecaster")
class ClippedAdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter 2019) that clips by value, then by norm, and counts how often that bit.

    Keras' own options exclude each other and tell nothing. Clipping by norm keeps the direction of the gradient
    (Pascanu, Mikolov and Bengio 2013), by value bends it but heeds single numbers.

    Args:
        *args: As for `keras.optimizers.AdamW`.
        largest_value: Numbers of the gradient are cut to plus and minus this; None leaves them.
        largest_norm: The whole gradient is shortened to this norm; None leaves it.
        **kwargs: As for `keras.optimizers.AdamW`.

    Attributes:
        clipped: Steps at which anything was cut since the last `reset_watch`.
        steepest: Largest norm since then, before anything was cut.
    """

    def __init__(
        self, *args: Any, largest_value: float | None = None, largest_norm: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.largest_value, self.largest_norm = largest_value, largest_norm

    def build(self, variables: Any) -> None:
        """Makes the moments, and the two numbers that are watched."""
        if self.built:
            return
        super().build(variables)
        self.clipped = self.add_variable(shape=(), name="clipped")
        self.steepest = self.add_variable(shape=(), name="steepest")

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Clips the gradients, then makes the step."""
        if not self.built:
            self.build(trainable_variables)
        norm = _norm(grads)
        bites = ops.zeros_like(norm)
        if self.largest_value is not None:
            limit = self.largest_value
            peaks = [ops.max(ops.abs(grad)) for grad in grads if grad is not None]
            bites = ops.maximum(bites, ops.cast(ops.max(ops.stack(peaks)) > limit, norm.dtype))
            grads = [None if grad is None else ops.clip(grad, -limit, limit) for grad in grads]
        if self.largest_norm is not None:
            left = norm if self.largest_value is None else _norm(grads)
            bites = ops.maximum(bites, ops.cast(left > self.largest_norm, norm.dtype))
            # an infinite norm makes the gradient NaN, so that the fit ends with a reason
            scale = self.largest_norm * ops.minimum(1.0 / left, 1.0 / self.largest_norm) + (left - left)
            grads = [None if grad is None else grad * scale for grad in grads]
        self.clipped.assign_add(bites)
        self.steepest.assign(ops.maximum(self.steepest, norm))
        super().apply(grads, trainable_variables)

    def reset_watch(self) -> tuple[float, float]:
        """`clipped` and `steepest`, which begin anew."""
        seen = float(ops.convert_to_numpy(self.clipped)), float(ops.convert_to_numpy(self.steepest))
        for number in (self.clipped, self.steepest):
            number.assign(0.0)
        return seen

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the optimiser."""
        return {**super().get_config(), "largest_value": self.largest_value, "largest_norm": self.largest_norm}


def optimizer(definition: ModelDefinition) -> ClippedAdamW:
    """The optimiser that a model file describes."""
    warmup = min(definition.warmup, definition.steps - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else definition.learning_rate,
        definition.steps - warmup,
        alpha=0.01,
        warmup_target=definition.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    averaging = {"use_ema": True, "ema_momentum": definition.averaging} if definition.averaging else {}
    clipping = {"largest_value": definition.clipvalue, "largest_norm": definition.clipnorm}
    return ClippedAdamW(rate, definition.weight_decay, **clipping, **averaging)


def _norm(grads: Any) -> Any:
    return ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(grad)) for grad in grads if grad is not None])))
