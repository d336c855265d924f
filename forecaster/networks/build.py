"""Puts a forecasting network together: raw windows in, raw quantiles out.

past ── scaled by its own lookback ── topology ─────┐
   └─── naive base ─────────────────────────────────┼── quantiles ── raw units
known, static ── scaled ── topology ────────────────┘
"""

from __future__ import annotations

import keras
import numpy as np

from forecaster.config import ModelDefinition
from forecaster.networks.direct import many_to_one
from forecaster.networks.features import read_window, window_inputs
from forecaster.networks.frame import FromFrame
from forecaster.networks.heads import Quantiles
from forecaster.networks.network import Learning, Network
from forecaster.networks.optimizer import optimizer
from forecaster.networks.shape import Shape

__all__ = ["Network", "Shape", "build"]


def build(definition: ModelDefinition, shape: Shape, seed: int) -> Network:
    """Builds the network of a model file.

    Args:
        definition: The model file.
        shape: What it reads and writes.
        seed: Of the initial weights and the dropout.

    Returns:
        The untrained network, compiled for training.

    Raises:
        DefinitionError: The import path of `network` leads to nothing that can be called.
    """
    seeds = iter(np.random.default_rng(seed).integers(2**31, size=256).tolist())
    inputs = window_inputs(shape)
    features = read_window(inputs, shape)
    free, bias = many_to_one(features, definition, shape, seeds)
    quantiles = Quantiles(len(shape.quantiles) // 2, name="scaled_quantiles")(free, features.base)
    raw = FromFrame(shape.transform, name="quantiles")(quantiles, features.frame)

    train = Learning(inputs, {"quantiles": quantiles, "frame": features.frame}, name="train")
    train.shape_ = shape
    train.compile(optimizer(definition), jit_compile=definition.jit_compile)
    forecast = keras.Model(inputs, {"quantiles": raw})
    return Network(forecast, train, keras.Model(inputs, [features.base, features.frame]), shape, bias)
