"""The exported network of symbols: strings in, strings and probabilities out. The one place here that needs TensorFlow:
Keras has no tensors of strings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from forecaster.networks.shape import Shape

__all__ = ["TOP", "export_strings"]

TOP = 5
"""Likeliest symbols that are named."""


def export_strings(forecast: Any, shape: Shape, folder: Path) -> None:
    """Writes a SavedModel with the signature `serving_default`.

    Inputs: `past` (batch, lookback), strings, empty where missing; those not in the vocabulary count as the unknown
    symbol. `past_known` (batch, lookback, known) and `known` (batch, horizon, known), `static` (batch, static), where
    there are any; `seed` (batch,), int32. The lookback is open where the network carries its state.

    Outputs: `symbols` and `top_probabilities` (batch, horizon, top), the likeliest first; `probabilities` (batch,
    horizon, symbols) of the vocabulary in its order.

    Args:
        forecast: The network, on places in the vocabulary.
        shape: With the vocabulary.
        folder: Where to.
    """
    import tensorflow as tf

    names = tf.constant(shape.vocabulary)
    places = tf.range(len(shape.vocabulary), dtype=tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(names, places), 0)
    top = min(TOP, len(shape.vocabulary))

    def serve(inputs: dict[str, Any]) -> dict[str, Any]:
        found = tf.cast(table.lookup(inputs["past"]), tf.float32)
        values = tf.where(inputs["past"] == "", tf.constant(float("nan")), found)[:, :, None]
        if shape.known:
            values = tf.concat([values, inputs["past_known"]], axis=2)
        rest = {name: part for name, part in inputs.items() if name not in ("past", "past_known")}
        told = forecast({**rest, "past": values}, training=False)["probabilities"]
        best, which = tf.math.top_k(told, top)
        return {"symbols": tf.gather(names, which), "top_probabilities": best, "probabilities": told}

    archive: Any = keras.export.ExportArchive()
    archive.track(forecast)
    archive.track(table)
    archive.add_endpoint("serving_default", serve, [_inputs(shape, None if forecast.carried else shape.lookback)])
    archive.write_out(folder, verbose=False)


def _inputs(shape: Shape, steps: int | None) -> dict[str, Any]:
    import tensorflow as tf

    given = {"past": tf.TensorSpec((None, steps), tf.string, "past"), "seed": tf.TensorSpec((None,), tf.int32, "seed")}
    if shape.known:
        given["past_known"] = tf.TensorSpec((None, steps, shape.known), tf.float32, "past_known")
        given["known"] = tf.TensorSpec((None, shape.horizon, shape.known), tf.float32, "known")
    if shape.static:
        given["static"] = tf.TensorSpec((None, shape.static), tf.float32, "static")
    return given
