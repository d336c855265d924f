"""What a network says, by a graph that is built once, however many windows it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

__all__ = ["Answers", "answers"]

Answers = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]


def answers(model: keras.Model, inputs: Mapping[str, Any]) -> Answers:
    """The model as a function of arrays.

    `keras.Model.predict_on_batch` builds a graph for each new number of windows, about half a second each time.

    Args:
        model: From a dictionary of tensors to one of tensors.
        inputs: Their shapes and types by name (`keras.InputSpec`, `keras.KerasTensor`); a size of None is any.

    Returns:
        From arrays of these shapes to arrays. It follows the model's weights.
    """
    import tensorflow as tf

    specs = {name: tf.TensorSpec(one.shape, one.dtype, name) for name, one in inputs.items()}
    call = tf.function(lambda given: model(given, training=False), autograph=False)
    graph = call.get_concrete_function(specs)

    def answer(given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        said = graph({name: tf.constant(given[name], spec.dtype) for name, spec in specs.items()})
        return {name: part.numpy() for name, part in said.items()}

    return answer
