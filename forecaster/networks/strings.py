"""The exported network of symbols: strings in, strings and probabilities out. The one place here that needs TensorFlow:
Keras has no tensors of strings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forecaster.networks.exporting import export_endpoints
from forecaster.networks.shape import Shape

__all__ = ["TOP", "export_strings"]

TOP = 5
"""Likeliest symbols that are named."""


def export_strings(forecast: Any, shape: Shape, folder: Path) -> None:
    """Writes a SavedModel with the signatures `serving_default` and `step`.

    `serving_default`: inputs `past` (batch, lookback), strings, empty where missing; those not in the vocabulary count
    as the unknown symbol. `past_known` (batch, lookback, known) and `known` (batch, horizon, known), `static` (batch,
    static), where there are any; `seed` (batch,), int32. The lookback is open where the network carries its state.

    Outputs: `symbols` and `top_probabilities` (batch, horizon, top), the likeliest first; `probabilities` (batch,
    horizon, symbols) of the vocabulary in its order.

    `step` goes on by one symbol. Inputs: `observation` (batch,), a string; `known` (batch, known) of the next step and
    `static`, where there are any; and the state by name, (batch, width) each, zeros before the first symbol. Outputs:
    those of `serving_default` with a horizon of 1, and the new state.

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

    def read(strings: Any) -> Any:
        found = tf.cast(table.lookup(strings), tf.float32)
        return tf.where(strings == "", tf.constant(float("nan")), found)

    def named(told: Any) -> dict[str, Any]:
        best, which = tf.math.top_k(told, top)
        return {"symbols": tf.gather(names, which), "top_probabilities": best, "probabilities": told}

    def serve(inputs: dict[str, Any]) -> dict[str, Any]:
        values = read(inputs["past"])[:, :, None]
        if shape.known:
            values = tf.concat([values, inputs["past_known"]], axis=2)
        rest = {name: part for name, part in inputs.items() if name not in ("past", "past_known")}
        return named(forecast({**rest, "past": values}, training=False)["probabilities"])

    def step(inputs: dict[str, Any]) -> dict[str, Any]:
        said = forecast.step({**inputs, "observation": read(inputs["observation"])[:, None]})
        return {**named(said["probabilities"]), **{name: said[name] for name in forecast.stepper.widths}}

    inputs = _inputs(shape, None if forecast.carried else shape.lookback)
    endpoints = {"serving_default": (serve, inputs), "step": (step, _step_inputs(forecast, shape))}
    export_endpoints(folder, endpoints, (table,))


def _inputs(shape: Shape, steps: int | None) -> dict[str, Any]:
    import tensorflow as tf

    given = {"past": tf.TensorSpec((None, steps), tf.string, "past"), "seed": tf.TensorSpec((None,), tf.int32, "seed")}
    if shape.known:
        given["past_known"] = tf.TensorSpec((None, steps, shape.known), tf.float32, "past_known")
        given["known"] = tf.TensorSpec((None, shape.horizon, shape.known), tf.float32, "known")
    if shape.static:
        given["static"] = tf.TensorSpec((None, shape.static), tf.float32, "static")
    return given


def _step_inputs(forecast: Any, shape: Shape) -> dict[str, Any]:
    import tensorflow as tf

    widths = {**forecast.stepper.widths}
    if shape.known:
        widths["known"] = shape.known
    if shape.static:
        widths["static"] = shape.static
    state = {name: tf.TensorSpec((None, width), tf.float32, name) for name, width in widths.items()}
    return {"observation": tf.TensorSpec((None,), tf.string, "observation"), **state}
