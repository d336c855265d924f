"""A network at its initial weights: what its parameters count, and how far a gradient reaches before any training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.inspection.inspection import Inspection, Subject, look
from forecaster.forecasting.protocol import levels_to_quantiles
from forecaster.networks.build import Shape, build
from forecaster.networks.inspection.layers import walk
from forecaster.networks.recursive import build_recursive
from forecaster.series import panel_from_frame

__all__ = ["inspect_untrained"]

LENGTHS = 8
"""Of the white noise, in windows."""


def inspect_untrained(definition: ModelDefinition, lookback: int, horizon: int, seed: int = 1) -> Inspection:
    """Looks inside a network that has learnt nothing, on white noise.

    A head that starts at zero lets no gradient through; it is given small random weights here.

    Args:
        definition: The model file.
        lookback: Steps that the network sees.
        horizon: Steps that it forecasts.
        seed: Of the weights and of the noise.

    Example:
        >>> tiny = ModelDefinition(network="gru", units=3).named("gru")
        >>> seen = inspect_untrained(tiny, lookback=12, horizon=2)
        >>> seen.traces[0].gates["update"].shape, seen.document()["gradient_reach"]["layers"][0]["kind"]
        ((1, 12, 3), 'gru')
    """
    segment = definition.segment if isinstance(definition.segment, int) else 1
    if definition.batch_size == "auto":
        definition = definition.model_copy(update={"batch_size": 1})  # it is shown one window
    quantiles = levels_to_quantiles([80, 95])
    shape = Shape(lookback, horizon, quantiles, segment=segment)
    stepwise = definition.chosen_topology == "many_to_many"
    network = build_recursive(definition, shape, seed, gapless=True) if stepwise else build(definition, shape, seed)
    model = network.forecast
    generator = np.random.default_rng(seed)
    for layer in walk(model):
        if isinstance(layer, keras.layers.Dense):
            _start(layer, generator)
    noise = generator.normal(size=LENGTHS * (lookback + horizon))
    panel = panel_from_frame(pd.DataFrame({"ds": np.arange(len(noise)), "y": noise}))
    name = str(definition.name or definition.network)
    return look(Subject(name, definition, model, Inputs(), lookback, horizon, quantiles, trained=False), panel)


def _start(layer: Any, generator: np.random.Generator) -> None:
    """Weights for a matrix that starts at zero, of the size that Glorot and Bengio 2010 would give them."""
    kernel = ops.convert_to_numpy(layer.kernel)
    if not kernel.any():
        layer.kernel.assign(generator.normal(0, np.sqrt(2 / sum(kernel.shape)), kernel.shape))
