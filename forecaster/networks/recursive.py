"""Recursive forecasts: a network trained to say the next step at every step, fed with its own draws to go further.

                    ┌──────────── state ───────────┐
training    values ─┴─ Stepper ── said of t + 1 ── loss          all steps at once, teacher forcing
forecasting past ───── Stepper ── said of the first step ──┬── paths ── quantiles
                          └──────── draws, fed back ───────┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
from keras import ops

from forecaster.config import ModelDefinition
from forecaster.networks.answering import Answers, answers
from forecaster.networks.exporting import export_endpoints
from forecaster.networks.kind import Kind
from forecaster.networks.marginals import marginals
from forecaster.networks.numbers import Numbers
from forecaster.networks.optimizer import optimizer
from forecaster.networks.shape import Shape
from forecaster.networks.stack import Stack
from forecaster.networks.stepper import Stepper
from forecaster.networks.symbols import Symbols
from forecaster.networks.teaching import Teaching

__all__ = ["RecursiveNetwork", "build_recursive"]

LONG = 200
"""Steps beyond which a graph is built although it is used twice: without one, each step takes milliseconds."""


def _stepper(definition: ModelDefinition, shape: Shape, seed: int, kind: Kind) -> Stepper:
    seeds = iter(np.random.default_rng(seed).integers(2**31, size=256).tolist())
    stepper = Stepper(
        kind, Stack(definition, seeds, name="recurrence"), shape.lookback, known=shape.known, calendar=shape.calendar,
        static=shape.static, dropout=definition.dropout, seed=next(seeds), name="stepper",
    )  # fmt: skip
    stepper.build()
    return stepper


def _kind(size: Shape, seed: int) -> Kind:
    if size.vocabulary:
        return Symbols(len(size.vocabulary), size.novelty, seed, name="kind")
    return Numbers(size.transform, size.seasons, size.lookback, size.quantiles, size.support, name="kind")


@keras.saving.register_keras_serializable(package="forecaster")
class Forecasting(keras.Model):
    """The face that forecasts: raw inputs by name to raw answers, as the exported network.

    Args:
        definition: The model file, as plain JSON.
        shape: Of the network, as plain JSON.
        seed: Of the initial weights.
    """

    def __init__(self, definition: dict[str, Any], shape: dict[str, Any], seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.definition, self.shape, self.seed = definition, shape, seed
        model = ModelDefinition.model_validate(definition)
        several = {name: tuple(shape[name]) for name in ("quantiles", "seasons", "vocabulary")}
        self.size = Shape(**{**shape, **several})
        self.samples, self.carried = model.samples, model.carry_state
        self.stepper = _stepper(model, self.size, seed, _kind(self.size, seed))
        self.built = True

    def build(self, *shapes: Any) -> None:
        """The weights are there from the beginning."""

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Reads the past from a state of zeros and unrolls the horizon.

        Args:
            inputs: `past` (batch, steps, 1 + known), `known` (batch, horizon, known), `static` (batch, static), those
                that the network has, and `seed` (batch,), int32.
            training: Has no meaning here.

        Returns:
            What the kind of value answers: `quantiles` (batch, horizon, levels), or of symbols `probabilities`
            (batch, horizon, symbols).
        """
        past, horizon = inputs["past"], self.size.horizon
        values, static = past[:, :, 0], inputs.get("static")
        coming = inputs["known"] if self.size.known else ops.zeros((ops.shape(past)[0], horizon, 0))
        known = ops.concatenate([past[:, 1:, 1:], coming[:, :1]], axis=1)
        state = self.stepper.zeros(ops.shape(past)[0])
        said, state = self.stepper.walk(values, known, static, state, every=False)
        if self.size.vocabulary:
            several = (coming, static, inputs["seed"], horizon, self.samples)
            return {"probabilities": marginals(self.stepper, said, state, *several)}
        first = self.stepper.kind.answer(said)
        if horizon == 1:
            return first
        paths = self.stepper.unroll(said, state, coming, static, inputs["seed"], horizon, self.samples)
        later = self.stepper.kind.answer_paths(paths)
        return {name: ops.concatenate([part, later[name][:, 1:]], axis=1) for name, part in first.items()}

    def step(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Reads one observation and says the next step: the same network in constant time.

        Args:
            inputs: `observation` (batch, 1 + known), a row of `past`; `known` (batch, known) of the next step and
                `static`, if there are any; and the state by name, (batch, width) each, zeros at the beginning.

        Returns:
            What the kind of value answers for one step, `quantiles` (batch, 1, levels), and the new state.
        """
        state = {name: inputs[name] for name in self.stepper.widths}
        observation = inputs["observation"]
        known = inputs["known"] if self.size.known else ops.zeros_like(observation[:, :0])
        said, state = self.stepper.walk(observation[:, :1], known[:, None], inputs.get("static"), state)
        return {**self.stepper.kind.answer(said), **state}

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the model."""
        return {"definition": self.definition, "shape": self.shape, "seed": self.seed, "name": self.name}


@dataclass(frozen=True)
class RecursiveNetwork:
    """One set of weights with two faces; `Network` is its twin that forecasts all steps at once.

    Attributes:
        forecast: As it is exported.
        train: As it learns: inputs of `Teaching`, targets (batch, steps), raw.
        shape: What it was built for.
    """

    forecast: Forecasting
    train: Teaching
    shape: Shape

    @cached_property
    def answer(self) -> Answers:
        """What `forecast` says of arrays."""
        return answers(self.forecast, self._inputs())

    @property
    def stretch(self) -> keras.Variable:
        """What calibration found, of symbols: a factor on the free numbers."""
        kind: Any = self.forecast.stepper.kind
        found: keras.Variable = kind.stretch
        return found

    @property
    def streaming(self) -> dict[str, Any]:
        """Shape and type of each tensor of the state that can be carried from request to request; empty if not."""
        if not self.forecast.carried:
            return {}
        widths = self.forecast.stepper.widths
        return {"state": {name: {"shape": [width], "dtype": "float32"} for name, width in widths.items()}}

    def lesson(
        self, inputs: dict[str, np.ndarray], target: np.ndarray, step: int | None = None
    ) -> dict[str, np.ndarray]:
        """The inputs of `train` at a step of the fit; see `Network.lesson`."""
        return inputs

    def prepare(self, inputs: dict[str, np.ndarray], target: np.ndarray, static: np.ndarray) -> None:
        """Sets what comes from the training part before training starts; see `Kind.prepare` and `Kind.first_bias`.

        Args:
            inputs: A sample of training sequences.
            target: Their targets, shape (batch, steps).
            static: The static covariates of all training series, shape (series, static).
        """
        stepper = self.forecast.stepper
        if stepper.static_scale:
            stepper.static_scale.learn(static)
        stepper.kind.prepare(inputs["values"][:, :, 0])
        said = self._said(inputs)
        stepper.head.bias.assign(stepper.kind.first_bias(said, target))

    def loss(self, inputs: dict[str, np.ndarray], target: np.ndarray) -> float:
        """The loss of `train` on sequences that it does not learn from."""
        return float(self.train.test_on_batch(inputs, target))

    def calibrate(self, inputs: dict[str, np.ndarray], target: np.ndarray) -> float:
        """Widens or narrows what is said of a step, by sequences held out of training; see `Kind.calibrate`."""
        return self.forecast.stepper.kind.calibrate(self._said(inputs), target)

    def _said(self, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
        """What `train` says of sequences that it does not learn from; one by one, many steps are quicker as a graph."""
        if self.train.gapless and inputs["values"].shape[1] <= LONG:
            return cast(dict[str, Any], self.train(inputs, training=False))
        specs = {name: _spec(name, (None, *part.shape[1:])) for name, part in inputs.items()}
        return answers(self.train, specs)(inputs)

    def export(self, folder: Path) -> None:
        """Writes a SavedModel with the signatures `serving_default` and, where the state is carried, `step`."""
        if self.shape.vocabulary:
            from forecaster.networks.strings import export_strings

            export_strings(self.forecast, self.shape, folder)
            return
        endpoints = {"serving_default": (self._call, self._inputs())}
        if self.forecast.carried:
            endpoints["step"] = (self.forecast.step, self._step_inputs())
        export_endpoints(folder, endpoints)

    @property
    def _call(self) -> Callable[..., Any]:
        return lambda inputs: self.forecast(inputs, training=False)

    def _inputs(self) -> dict[str, Any]:
        size = self.shape
        steps = None if self.forecast.carried else size.lookback
        return {
            "past": _spec("past", (None, steps, 1 + size.known)),
            **({"known": _spec("known", (None, size.horizon, size.known))} if size.known else {}),
            **({"static": _spec("static", (None, size.static))} if size.static else {}),
            "seed": keras.InputSpec(dtype="int32", shape=(None,), name="seed"),
        }

    def _step_inputs(self) -> dict[str, Any]:
        size = self.shape
        return {
            "observation": _spec("observation", (None, 1 + size.known)),
            **({"known": _spec("known", (None, size.known))} if size.known else {}),
            **({"static": _spec("static", (None, size.static))} if size.static else {}),
            **{name: _spec(name, (None, width)) for name, width in self.forecast.stepper.widths.items()},
        }


def _spec(name: str, shape: tuple[int | None, ...]) -> keras.InputSpec:
    return keras.InputSpec(dtype="float32", shape=shape, name=name)


def build_recursive(definition: ModelDefinition, shape: Shape, seed: int, gapless: bool) -> RecursiveNetwork:
    """Builds the network of a model file with `strategy: recursive`.

    Args:
        definition: The model file.
        shape: What it reads and writes; the horizon is that of its forecasts.
        seed: Of the initial weights and the dropout.
        gapless: Whether no value is missing inside of the series that it will learn from; see `Stepper.teach`.

    Returns:
        The untrained network, compiled for training.
    """
    forecast = Forecasting(definition.model_dump(mode="json"), asdict(shape), seed, name="forecast")
    train = Teaching(forecast.stepper, gapless, int(definition.batch_size) if definition.carry_state else None)
    train.compile(optimizer(definition), jit_compile=definition.jit_compile)
    return RecursiveNetwork(forecast, train, shape)
