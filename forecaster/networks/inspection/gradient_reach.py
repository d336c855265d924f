"""How far back the gradient reaches: the norm of d loss / d state at every lag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from forecaster.networks.inspection.activations import Mark, Run, recorded
from forecaster.networks.inspection.cells import Stepper
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
            Of a layer that runs several times over as many steps (in a TimeDistributed, say) the sum over its runs.
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
        layers: Each recurrent layer that was run, once for each length that its runs have.
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
    kept: list[tuple[str, Stepper, list[Run]]] = []

    def run(mark: Mark) -> tuple[Tensor, list[Tensor]]:
        with recorded(model, mark) as recordings:
            total = loss(model(inputs, training=False))
        kept.extend((label, one.stepper, runs) for one in recordings for label, runs in one.runs_by_length())
        states = [state for _, _, runs in kept for made in runs for state in made.states]
        return total, [*states, *(weight for weight in model.trainable_weights)]

    found = iter(gradients(run))
    layers = [_reach(label, stepper, runs, found, segments) for label, stepper, runs in kept]
    squares = [float(ops.sum(ops.square(one))) for one in found if one is not None]  # the weights are what is left
    return GradientReach(tuple(layers), float(np.sqrt(sum(squares))))


def _reach(label: str, stepper: Stepper, runs: Sequence[Run], found: Iterator[Tensor], segments: bool) -> LayerReach:
    """Norms by lag; the gradients of the runs' states are the next of those found."""
    squares = np.concatenate([_squares(run, found) for run in runs], axis=-1)
    names = stepper.named(squares.shape[1])
    by_state = {name: np.sqrt(squares[:, place]).sum(axis=-1) for place, name in enumerate(names)}
    whole = np.sqrt(squares.sum(axis=1)).sum(axis=-1)  # d mean / d s of a window is 1 / windows of its own loss's
    return LayerReach(label, stepper.kind, whole, by_state, segments)


def _squares(run: Run, found: Iterator[Tensor]) -> np.ndarray:
    """Squared norms of the gradients of a run's states, whatever axes these have; shape (lags, states, batch)."""
    grads = [
        np.zeros(state.shape) if grad is None else np.asarray(ops.convert_to_numpy(grad), np.float64)
        for state, grad in zip(run.states, found, strict=False)
    ]
    squares = [np.square(grad).reshape(len(grad), -1).sum(axis=-1) for grad in grads]
    return np.stack(squares).reshape(-1, len(run.initial), len(grads[0]))[::-1]
