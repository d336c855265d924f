"""Gradients with respect to what a network computes on its way: the one thing here that Keras has no words for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from forecaster.errors import ForecasterError

__all__ = ["gradients"]


Mark = Callable[[list[Any]], list[Any]]


def gradients(run: Callable[[Mark], tuple[Any, Sequence[Any]]]) -> list[Any]:
    """The gradients of a number with respect to some tensors.

    Args:
        run: Computes; is given a function that marks tensors: it returns copies to go on with and to differentiate by,
            each by itself: a cell state that is marked beside the hidden state has no influence through the latter.
            Returns what is to be differentiated, and the marked tensors and weights to differentiate by.

    Returns:
        A tensor for each, None where nothing depends on it.

    Raises:
        ForecasterError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ForecasterError(
            f"how far gradients reach is measured with TensorFlow's tape, but Keras runs on {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
    import tensorflow as tf

    with tf.GradientTape() as tape:

        def mark(tensors: list[Any]) -> list[Any]:
            copies = [tf.identity(tensor) for tensor in tensors]
            tape.watch(copies)
            return copies

        total, sources = run(mark)
    values = [source.value if isinstance(source, keras.Variable) else source for source in sources]
    found: list[Any] = tape.gradient(total, values)
    return found
