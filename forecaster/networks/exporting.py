"""Networks written as SavedModels: what can be asked of them, without a look for anything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

__all__ = ["export_endpoints", "export_model"]


def export_endpoints(
    folder: Path, endpoints: Mapping[str, tuple[Callable[..., Any], Mapping[str, Any]]], tables: tuple[Any, ...] = ()
) -> None:
    """Writes a SavedModel that TensorFlow alone can load.

    Its variables are those that the functions use. A model that were tracked would be searched for lookup tables too,
    for which Keras builds the graph of each model in it once more and throws it away: half of the time.

    Args:
        folder: Where to.
        endpoints: A function from a dictionary of tensors by signature, with the inputs' shapes and types by name.
        tables: The lookup tables that the functions use.
    """
    archive: Any = keras.export.ExportArchive()
    for table in tables:
        archive.track(table)
    for name, (function, inputs) in endpoints.items():
        archive.add_endpoint(name, function, [dict(inputs)])
    archive.write_out(folder, verbose=False)


def export_model(folder: Path, model: keras.Model) -> None:
    """Writes a model from a dictionary of tensors to another, for any number of windows, as `serving_default`.

    Args:
        folder: Where to.
        model: What is written.
    """
    inputs = {name: keras.InputSpec(dtype=one.dtype, shape=one.shape, name=name) for name, one in model.input.items()}
    export_endpoints(folder, {"serve": (lambda given: model(given, training=False), inputs)})
