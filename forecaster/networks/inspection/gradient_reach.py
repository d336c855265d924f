"""How far back the gradient reaches: the norm of d loss / d state at every lag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from forecaster.networks.inspection.activations import Mark, Recording, recorded
from forecaster.networks.inspection.tape import gradients
from forecaster.networks.inspection.verdict import Verdict, verdict

__all__ = ["GradientReach", "LayerReach", "gradient_reach"]

Tensor = Any


@dataclass(frozen=True)
class LayerReach:
    """How far the gradient reaches in one recurrent layer.

    Attributes:
        layer: Its name.
        kind: `simple_rnn`, `gru`, `lstm`, `custom_lstm`, or the name of the cell's class.
        norms: ‖d loss / d s[T − lag]‖ for lag 0, 1, …, T: of each window's own loss, averaged over the windows; s is
            the whole state, h and, where there is one, c together: an LSTM carries through c what never shows in h.
            Shape (steps + 1,), the last being the initial state.
        by_state: The same for `hidden` and `cell` alone, the other one held.
        segments: Whether it can be told to read several time steps at once.
    """

    layer: str
    kind: str
    norms: np.ndarray
    by_state: Mapping[str, np.ndarray]
    segments: bool

    @property
    def verdict(self) -> Verdict:
        """In plain words."""
        return verdict(self.norms, self.kind, self.segments)


@dataclass(frozen=True)
class GradientReach:
    """How far the gradient reaches in a model.

    Attributes:
        layers: Each recurrent layer that the loss depends on.
        weights: Norm of d loss / d weights, all weights together, the loss averaged over the windows.
    """

    layers: tuple[LayerReach, ...]
    weights: float

    def clipped(self, clipnorm: float) -> float:
        """The factor by which clipping by the global norm shortens the gradient: 1 where it does not bite."""
        return 1.0 if self.weights <= clipnorm else clipnorm / self.weights


def gradient_reach(model: Any, inputs: Any, loss: Callable[[Any], Tensor], segments: bool = True) -> GradientReach:
    """Measures how strongly a loss depends on the states of long ago.

    Args:
        model: Any Keras model, built; the recurrent layers in it are found.
        inputs: What it is called with, some windows.
        loss: From the model's outputs to one number, the mean of the windows' losses.
        segments: Whether the model can be told to read several time steps at once; for what is advised.

    Returns:
        The norms by layer and lag.

    Raises:
        ForecasterError: Keras does not run on TensorFlow.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((9, 1)), keras.layers.SimpleRNN(4, seed=1)])
        >>> inputs = np.zeros((2, 9, 1), "float32")
        >>> [layer] = gradient_reach(model, inputs, lambda state: ops.mean(state)).layers
        >>> layer.norms.shape
        (10,)
    """
    kept: list[Recording] = []

    def run(mark: Mark) -> tuple[Tensor, list[Tensor]]:
        with recorded(model, mark) as recordings:
            total = loss(model(inputs, training=False))
        kept.extend(recording for recording in recordings if recording.steps)
        states = [state for recording in kept for step in _states(recording) for state in step]
        return total, [*states, *(weight for weight in model.trainable_weights)]

    found = gradients(run)
    layers, place = [], 0
    for recording in kept:
        count = sum(map(len, _states(recording)))
        layers.append(_reach(recording, found[place : place + count], segments))
        place += count
    squares = [float(ops.sum(ops.square(one))) for one in found[place:] if one is not None]
    return GradientReach(tuple(layers), float(np.sqrt(sum(squares))))


def _states(recording: Recording) -> list[list[Tensor]]:
    """The states before the first step and after each."""
    return [recording.initial, *(step.states for step in recording.steps)]


def _reach(recording: Recording, found: list[Tensor], segments: bool) -> LayerReach:
    """Norms by lag from the gradients of the states, which lie in the order of the steps."""
    shapes = [state.shape for state in recording.initial]
    names = recording.stepper.states
    squares = {}
    for place, name in enumerate(names):
        own = found[place :: len(names)]
        zero = np.zeros(shapes[place], np.float64)
        grads = [zero if one is None else np.asarray(ops.convert_to_numpy(one), np.float64) for one in own]
        squares[name] = np.stack([np.sum(np.square(grad), axis=-1) for grad in reversed(grads)])
    by_state = {name: np.sqrt(square).sum(axis=1) for name, square in squares.items()}
    whole = np.sqrt(sum(squares.values())).sum(axis=1)  # d mean / d s of a window is 1 / windows of its own loss's
    return LayerReach(recording.label, recording.stepper.kind, whole, by_state, segments)
