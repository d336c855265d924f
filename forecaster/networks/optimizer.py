"""The optimiser of a model file: AdamW with warm-up and cosine decay."""

from __future__ import annotations

import keras

from forecaster.config import ModelDefinition

__all__ = ["optimizer"]


def optimizer(definition: ModelDefinition) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019), as the model file says."""
    warmup = min(definition.warmup, definition.steps - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else definition.learning_rate,
        definition.steps - warmup,
        alpha=0.01,
        warmup_target=definition.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    averaging = {"use_ema": True, "ema_momentum": definition.averaging} if definition.averaging else {}
    return keras.optimizers.AdamW(rate, definition.weight_decay, global_clipnorm=definition.clipnorm, **averaging)
