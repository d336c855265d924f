"""Networks written as SavedModels. Like the graphs of their answers, these are TensorFlow's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

__all__ = ["Endpoint", "export_endpoints", "export_model"]

Endpoint = tuple[Callable[[Any], Any], Mapping[str, Any]]
"""A function from a dictionary of tensors to one, and shapes and types of its inputs by name; a size of None is any."""


def export_endpoints(folder: Path, endpoints: Mapping[str, Endpoint], tables: tuple[Any, ...] = ()) -> None:
    """Writes a SavedModel that TensorFlow alone can load.

    The graph of each function is built once. `keras.export.ExportArchive` builds it twice, and, in search of lookup
    tables, that of each Keras model in it once more, which takes three times as long.

    Args:
        folder: Where to.
        endpoints: Functions by signature.
        tables: The lookup tables that they use.
    """
    import tensorflow as tf

    graphs = {name: _graph(*endpoint) for name, endpoint in endpoints.items()}
    written = tf.Module()
    written.tables = list(tables)
    written.weights = list({variable.ref(): variable for one in graphs.values() for variable in one.variables}.values())
    try:
        tf.saved_model.save(written, str(folder), signatures=graphs)
    except tf.errors.ResourceExhaustedError as error:
        if os.strerror(errno.ENOSPC) not in str(error):  # memory, say, or files that may be open
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error


def export_model(folder: Path, model: keras.Model) -> None:
    """Writes a model from a dictionary of tensors to another as `serving_default`.

    Args:
        folder: Where to.
        model: What is written.
    """
    endpoint: Endpoint = (lambda given: model(given, training=False), model.input)
    export_endpoints(folder, {"serving_default": endpoint})


def _graph(function: Callable[[Any], Any], inputs: Mapping[str, Any]) -> Any:
    import tensorflow as tf

    specs = {name: tf.TensorSpec(one.shape, one.dtype, name) for name, one in inputs.items()}
    return tf.function(function, autograph=False).get_concrete_function(specs)
