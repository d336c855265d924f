"""Values that are symbols, one step at a time: read one-hot or embedded, forecast as a distribution over them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy.optimize import minimize_scalar

from forecaster.networks.kind import Said, State
from forecaster.networks.replicas import total

__all__ = ["Symbols"]

MOST_ONE_HOT = 128
"""Symbols up to which each is read by a weight of its own; more are embedded."""
EMBEDDING = 64


@keras.saving.register_keras_serializable(package="forecaster")
class Symbols(keras.layers.Layer):
    """A `Kind` (see there): the next symbol. A value is a place in the vocabulary; place 0 is the unknown symbol.

    ::

        p(unknown) = novelty,   p(k) = (1 − novelty) · softmax(stretch · free numbers)[k − 1]

    The unknown symbol never occurs in training, so its chance is not learnt but given. Where no symbol was observed,
    the network reads the likeliest one that it said itself. Read one-hot, the unknown symbol is all zeros.

    Args:
        size: Symbols in the vocabulary, the unknown one counted.
        novelty: Chance of the unknown symbol.
        seed: Of the embedding.
    """

    def __init__(self, size: int, novelty: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.novelty, self.seed = size, novelty, seed
        start = keras.initializers.RandomUniform(-0.5, 0.5, seed=seed)
        self.embedding = keras.layers.Embedding(size, EMBEDDING, start) if size > MOST_ONE_HOT else None
        self.widths: Mapping[str, int] = {}
        self.numbers = size - 1
        self.outputs = {"probabilities": size}

    def build(self, *shapes: Any) -> None:
        """Makes the constants and the embedding."""
        self.stretch = self.add_weight(shape=(), initializer="ones", trainable=False, name="stretch")
        if self.embedding is not None:
            self.embedding.build((None, None))
        self.built = True

    def readable(self, values: Any) -> Any:
        """See `Kind`: every place is one."""
        return values

    def read(self, values: Any, observed: Any, age: Any, state: State) -> tuple[Any, Said, State]:
        """See `Kind`."""
        places = ops.cast(values, "int32")
        if self.embedding is not None:
            return self.embedding(places), {}, {}
        return ops.one_hot(places, self.size)[:, :, 1:], {}, {}

    def say(self, free: Any, frame: Said) -> Said:
        """See `Kind`: logarithms of the probabilities of all symbols."""
        known = ops.log_softmax(free * self.stretch, axis=-1) + float(np.log1p(-self.novelty))
        unknown = ops.zeros_like(known[:, :, :1]) + float(np.log(self.novelty))
        return {"logarithms": ops.concatenate([unknown, known], axis=-1)}

    def expected(self, said: Said) -> Any:
        """See `Kind`: the likeliest symbol."""
        likeliest = ops.argmax(said["logarithms"][:, :, 1:], axis=-1) + 1
        return ops.cast(likeliest, said["logarithms"].dtype)

    def draw(self, said: Said, uniform: Any) -> Any:
        """See `Kind`: one of the known symbols, by the inverse of their cumulated probabilities."""
        logarithms = said["logarithms"][:, :, 1:]
        upto = ops.cumsum(ops.softmax(logarithms, axis=-1), axis=-1)
        passed = ops.sum(ops.cast(upto < uniform[:, :, None], "int32"), axis=-1)
        return ops.cast(ops.minimum(passed, self.size - 2) + 1, logarithms.dtype)

    def answer(self, said: Said) -> dict[str, Any]:
        """See `Kind`."""
        return {"probabilities": ops.exp(said["logarithms"])}

    def answer_paths(self, paths: Any) -> dict[str, Any]:
        """See `Kind`: how often each symbol was drawn."""
        return {"probabilities": ops.mean(ops.one_hot(ops.cast(paths, "int32"), self.size), axis=1)}

    def loss(self, said: Said, target: Any) -> Any:
        """See `Kind`: the mean surprise at what came, in nats; cross-entropy."""
        counts = ops.isfinite(target)
        places = ops.cast(ops.where(counts, target, 0.0), "int32")
        told = ops.take_along_axis(said["logarithms"], places[:, :, None], axis=-1)[:, :, 0]
        weight = ops.cast(counts, told.dtype)
        return -ops.sum(told * weight) / ops.maximum(total(ops.sum(weight)), 1.0)

    def prepare(self, values: np.ndarray) -> None:
        """See `Kind`: nothing to set."""

    def first_bias(self, said: Said, target: np.ndarray) -> np.ndarray:
        """See `Kind`: by which the untrained network says how frequent each symbol is."""
        places = target[np.isfinite(target)].astype(int)
        counts = np.bincount(places, minlength=self.size)[1:] + 0.5
        return np.asarray(np.log(counts / counts.sum()), np.float32)

    def calibrate(self, said: Said, target: np.ndarray) -> float:
        """See `Kind`: one factor on the free numbers, by the log loss."""
        there = np.isfinite(target) & (target > 0)
        if not there.any():
            return 1.0
        known = ops.convert_to_numpy(said["logarithms"])[there][:, 1:].astype(np.float64)
        rows, places = np.arange(len(known)), target[there].astype(int) - 1

        def surprise(factor: float) -> float:
            stretched = known * factor
            return float(np.mean(np.logaddexp.reduce(stretched, axis=1) - stretched[rows, places]))

        factor = float(minimize_scalar(surprise, bounds=(0.3, 2.0), method="bounded").x)
        factor = factor if surprise(factor) < surprise(1.0) else 1.0
        self.stretch.assign(self.stretch * factor)
        return factor

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "size": self.size, "novelty": self.novelty, "seed": self.seed}
