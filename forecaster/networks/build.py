"""Puts a forecasting network together: raw windows in, raw quantiles out.

past ── scaled by its own lookback ── topology ─────┐
   └─── naive base ─────────────────────────────────┼── quantiles ── raw units
known, static ── scaled ── topology ────────────────┘
"""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.networks.direct import many_to_one, one_to_many
from forecaster.networks.features import read_window, window_inputs
from forecaster.networks.frame import encode_target
from forecaster.networks.heads import Quantiles
from forecaster.networks.negative_binomial import COUNT_NUMBERS, NegativeBinomial
from forecaster.networks.network import Head, Learning, Network
from forecaster.networks.optimizer import optimizer
from forecaster.networks.shape import Shape
from forecaster.networks.student_t import NUMBERS, StudentT
from forecaster.networks.support import to_raw
from forecaster.networks.unrolled import Teacher, encoder_decoder, one_to_one
from forecaster.networks.widening import widened

__all__ = ["Network", "Shape", "build"]

DIRECT = {"many_to_one": many_to_one, "one_to_many": one_to_many}
UNROLLED = {"encoder_decoder": encoder_decoder, "one_to_one": one_to_one}
"""Topologies that read their own outputs."""
FREE_NUMBERS = {"student_t": NUMBERS, "negative_binomial": COUNT_NUMBERS}
"""Of heads that do not say each quantile by itself."""


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
    if definition.head in FREE_NUMBERS:
        shape = replace(shape, numbers=FREE_NUMBERS[definition.head])
    seeds = iter(np.random.default_rng(seed).integers(2**31, size=256).tolist())
    inputs = window_inputs(shape)
    features = read_window(inputs, shape)
    lesson, teacher = dict(inputs), None
    topology = definition.chosen_topology
    if topology in UNROLLED:
        lesson["taught"] = keras.Input((shape.horizon,), name="taught")
        teacher = Teacher(definition.teacher_forcing, definition.scheduled_sampling, definition.steps, seed)
        taught = encode_target(lesson["taught"], features.frame, shape.transform)
        free, learnt, bias = UNROLLED[topology](features, definition, shape, seeds, taught)
    elif topology in DIRECT:
        free, bias = DIRECT[topology](features, definition, shape, seeds)
        learnt = free
    else:
        raise DefinitionError(f"topology: {topology} is not built here; write another")
    steps = shape.horizon if teacher else 1
    to_quantiles = _head(definition, shape, steps)
    beside = (features.base, features.frame) if definition.head == "negative_binomial" else (features.base,)
    scaled = to_quantiles(free, *beside)
    raw = to_raw(widened(scaled, shape), features.frame, shape)

    said = {"quantiles": scaled, "free": free, "base": features.base, "frame": features.frame}
    in_training = said if learnt is free else {**said, "quantiles": to_quantiles(learnt, *beside), "free": learnt}
    train = Learning(lesson, in_training, name="train")
    train.shape_, train.head_ = shape, to_quantiles
    train.compile(optimizer(definition), jit_compile=definition.jit_compile)
    forecast, base = keras.Model(inputs, {"quantiles": raw}), keras.Model(inputs, [features.base, features.frame])
    inner = keras.Model(inputs, said, name="scaled")
    return Network(forecast, inner, train, base, shape, bias, teacher)


def _head(definition: ModelDefinition, shape: Shape, steps: int) -> Head:
    """From free numbers to quantiles in the units of the frame."""
    if definition.head == "student_t":
        return StudentT(shape.quantiles, steps, name="scaled_quantiles")
    if definition.head == "negative_binomial":
        return NegativeBinomial(shape.quantiles, steps, name="scaled_quantiles")
    return Quantiles(len(shape.quantiles) // 2, steps, name="scaled_quantiles")
