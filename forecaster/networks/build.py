"""Puts a forecasting network together: raw windows in, raw quantiles out.

past ── scaled by its own lookback ── segments ── recurrence ──┐
   └─── naive base ────────────────────────────────────────────┼── quantiles ── raw units
known, static ── scaled ───────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.networks.frame import FromFrame, ScaleTogether, ToFrame, encode_target
from forecaster.networks.heads import NaiveBase, Quantiles, best_stretch, free_numbers, pinball
from forecaster.networks.recurrence import recurrence

__all__ = ["Network", "Shape", "build"]


@dataclass(frozen=True)
class Shape:
    """What a network reads and writes.

    Args:
        lookback: Time steps before the cutoff.
        horizon: Time steps behind it.
        quantiles: Probabilities, increasing, with 0.5 in the middle.
        past: Number of past covariates.
        known: Number of known covariates, calendar features' columns among them.
        static: Number of static covariates.
        seasons: Of the naive base, in time steps; (1,) repeats the last value.
        segment: Time steps that the recurrence reads at once.
        transform: One of `frame.TRANSFORMS`.
        calendar: How many of the known ones, the last, are calendar features' columns.
    """

    lookback: int
    horizon: int
    quantiles: tuple[float, ...]
    past: int = 0
    known: int = 0
    static: int = 0
    seasons: tuple[int, ...] = (1,)
    segment: int = 1
    transform: str = "none"
    calendar: int = 0


@dataclass(frozen=True)
class Network:
    """One set of weights with three faces.

    Attributes:
        forecast: Inputs `past` (batch, lookback, 1 + past + known), `known` (batch, horizon, known) and
            `static` (batch, static), those it has; output `quantiles` (batch, horizon, quantiles). All in raw units.
        train: The same inputs, learning in the units of each window's frame; target (batch, horizon), raw.
        base: The same inputs; the naive base (batch, horizon) and the frame (batch, 2).
        shape: What it was built for.
    """

    forecast: keras.Model
    train: keras.Model
    base: keras.Model
    shape: Shape

    def prepare(self, inputs: dict[str, np.ndarray], target: np.ndarray, static: np.ndarray) -> None:
        """Sets what comes from the training part before training starts.

        The head gets a bias by which the untrained network says the naive base with its own error quantiles; static
        covariates get their mean and spread.

        Args:
            inputs: A sample of training windows.
            target: Their targets, shape (batch, horizon).
            static: The static covariates of all training series, shape (series, static).
        """
        if static.shape[1]:
            known = np.ma.masked_invalid(static)
            spread = known.std(axis=0).filled(1.0)
            moments = [known.mean(axis=0).filled(0.0), np.where(spread > 0, spread, 1.0)]
            self.forecast.get_layer("static_scale").set_weights(moments)
        base, frame = (ops.convert_to_numpy(part) for part in self.base(inputs))
        scaled = encode_target(ops.convert_to_tensor(target), ops.convert_to_tensor(frame), self.shape.transform)
        head = self.forecast.get_layer("head")
        bias = free_numbers(ops.convert_to_numpy(scaled) - base, self.shape.quantiles)
        head.set_weights([head.get_weights()[0], bias.reshape(-1)])

    def calibrate(self, inputs: dict[str, np.ndarray], target: np.ndarray) -> float:
        """Stretches the distances between quantiles by the factor that suits windows held out of training best.

        A network is surer of what it was trained on than of what comes; one factor for all quantiles, chosen by the
        pinball loss, mends that and keeps the median.

        Args:
            inputs: The windows held out.
            target: Their targets, shape (batch, horizon), raw.

        Returns:
            The factor.
        """
        said = {name: ops.convert_to_numpy(part) for name, part in self.train(inputs, training=False).items()}
        frame = ops.convert_to_tensor(said["frame"])
        scaled = encode_target(ops.convert_to_tensor(target), frame, self.shape.transform)
        factor = best_stretch(ops.convert_to_numpy(scaled), said["quantiles"], self.shape.quantiles)
        layer = self.forecast.get_layer("scaled_quantiles")
        layer.stretch.assign(layer.stretch * factor)
        return factor

    def export(self, folder: Path) -> None:
        """Writes a SavedModel that TensorFlow alone can load: raw inputs by name to raw quantiles, any batch size."""
        self.forecast.export(folder, format="tf_saved_model", verbose=False)


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
    past = keras.Input((shape.lookback, 1 + shape.past + shape.known), name="past")
    known = keras.Input((shape.horizon, shape.known), name="known") if shape.known else None
    static = keras.Input((shape.static,), name="static") if shape.static else None
    inputs = {tensor.name: tensor for tensor in (past, known, static) if tensor is not None}

    scaled, observed, frame = ToFrame(shape.transform, name="to_frame")(past[:, :, 0])
    steps, coming = _features(scaled, observed, past, known, shape)
    state = recurrence(definition, seeds)(_segments(steps, shape))
    if definition.dropout:
        state = keras.layers.Dropout(definition.dropout, seed=next(seeds))(state)
    if static is not None:
        state = keras.layers.Concatenate()([state, StaticScale(name="static_scale")(static)])
    seasons = () if shape.transform in ("difference", "log_return") else shape.seasons
    base = NaiveBase(seasons, shape.horizon, name="naive_base")(scaled, observed)
    quantiles = Quantiles(len(shape.quantiles) // 2, name="scaled_quantiles")(_head(state, coming, shape, seeds), base)
    raw = FromFrame(shape.transform, name="quantiles")(quantiles, frame)

    train = _Trained(inputs, {"quantiles": quantiles, "frame": frame}, name="train")
    train.shape_ = shape
    train.compile(_optimizer(definition), jit_compile=definition.jit_compile)
    return Network(keras.Model(inputs, {"quantiles": raw}), train, keras.Model(inputs, [base, frame]), shape)


class _Trained(keras.Model):
    """Quantiles and target meet in the units of the window's frame, so every window weighs the same."""

    shape_: Shape

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Mean pinball loss over the quantiles."""
        target = encode_target(y, y_pred["frame"], self.shape_.transform)
        return pinball(target, y_pred["quantiles"], self.shape_.quantiles)


@keras.saving.register_keras_serializable(package="forecaster")
class StaticScale(keras.layers.Layer):
    """Scales static covariates by constants of the training series, which are weights of the network.

    Call arguments:
        values: Shape (batch, covariates); NaN where missing.

    Returns:
        Scaled values, 0 where missing, and the mask; shape (batch, 2 × covariates).
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the two constants, which are set before training."""
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False, name="mean")
        self.spread = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False, name="spread")

    def call(self, values: Any) -> Any:
        """See the class."""
        observed = ops.isfinite(values)
        scaled = ops.where(observed, (values - self.mean) / self.spread, 0.0)
        return ops.concatenate([scaled, ops.cast(observed, scaled.dtype)], axis=-1)


def _features(scaled: Any, observed: Any, past: Any, known: Any, shape: Shape) -> tuple[Any, Any]:
    """What the recurrence reads at every step, (batch, lookback, features), and what is known of the horizon."""
    parts = [scaled[:, :, None], observed[:, :, None]]
    if shape.past:
        parts.append(ScaleTogether()(past[:, :, 1 : 1 + shape.past]))
    if known is None:
        return keras.layers.Concatenate()(parts), None
    window = keras.layers.Concatenate(axis=1)([past[:, :, 1 + shape.past :], known])
    window = ScaleTogether(shape.calendar)(window)
    parts.append(window[:, : shape.lookback])
    return keras.layers.Concatenate()(parts), window[:, shape.lookback :]


def _segments(steps: Any, shape: Shape) -> Any:
    """Cuts the lookback into segments that the recurrence reads at once (SegRNN, Lin et al. 2023)."""
    short = -shape.lookback % shape.segment
    if short:
        steps = keras.layers.ZeroPadding1D((short, 0))(steps)
    count = (shape.lookback + short) // shape.segment
    return keras.layers.Reshape((count, shape.segment * steps.shape[-1]))(steps)


def _head(state: Any, coming: Any, shape: Shape, seeds: Iterator[int]) -> Any:
    """Free numbers for all steps and quantiles from the last state, and from what is known of each step."""
    count = len(shape.quantiles)
    free = keras.layers.Dense(shape.horizon * count, kernel_initializer="zeros", name="head")(state)
    free = keras.layers.Reshape((shape.horizon, count))(free)
    if coming is None:
        return free
    context = _dense(32, seeds)(state)
    joined = keras.layers.Concatenate()([keras.layers.RepeatVector(shape.horizon)(context), coming])
    hidden = _dense(64, seeds, activation="relu")(joined)
    return free + keras.layers.Dense(count, kernel_initializer="zeros", name="known_head")(hidden)


def _dense(units: int, seeds: Iterator[int], activation: str | None = None) -> keras.layers.Layer:
    start = keras.initializers.GlorotUniform(seed=next(seeds))
    return keras.layers.Dense(units, activation, kernel_initializer=start)


def _optimizer(definition: ModelDefinition) -> keras.optimizers.Optimizer:
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
