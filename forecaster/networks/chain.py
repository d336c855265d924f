"""A network of symbols that goes from one symbol to the next, as `forecaster.forecasting.generation` asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from forecaster.networks.answering import answers

__all__ = ["NetworkChain"]


class _Step(keras.Model):
    """The face of a network that reads one symbol; its weights are those of the network."""

    def __init__(self, forecast: Any) -> None:
        super().__init__(name="chain")
        self.forecast = forecast
        self.built = True

    def build(self, *shapes: Any) -> None:
        """The weights are there from the beginning."""

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """See `Forecasting.step`."""
        answer: dict[str, Any] = self.forecast.step(inputs)
        return answer


class NetworkChain:
    """See `generation.Chain`. What it says follows the weights, also while they are trained.

    Args:
        forecast: The network, `Forecasting` of symbols.
        vocabulary: Its symbols, the unknown one first.
        memory: Symbols of a beginning that are read.
    """

    def __init__(self, forecast: Any, vocabulary: Sequence[str], memory: int) -> None:
        self.vocabulary, self.memory = vocabulary, memory
        self._widths: Mapping[str, int] = forecast.stepper.widths
        beside = {"known": forecast.size.known, "static": forecast.size.static}
        widths = {"observation": 1, **{name: width for name, width in beside.items() if width}, **self._widths}
        inputs = {name: keras.InputSpec("float32", (None, width)) for name, width in widths.items()}
        self._step = answers(_Step(forecast), inputs)

    def zeros(self) -> dict[str, np.ndarray]:
        """The state before the first symbol."""
        return {name: np.zeros((1, width), np.float32) for name, width in self._widths.items()}

    def step(
        self, places: np.ndarray, state: Mapping[str, np.ndarray], beside: Mapping[str, np.ndarray] | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Reads a symbol each, -1 for a missing one, and the covariates beside it: `known`, `static`."""
        read = np.where(places < 0, np.nan, places).astype(np.float32)
        said = self._step({"observation": read[:, None], **(beside or {}), **state})
        return said["probabilities"][:, 0], {name: said[name] for name in self._widths}
