"""The recurrent layers and cells that a model file names, alone and stacked."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.networks.dilated import Dilated
from forecaster.networks.lstm import LSTM
from forecaster.networks.lstm_cell import LSTMCell

__all__ = ["cells", "layers", "recurrence"]

KERAS_LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
KERAS_CELLS = {"simple_rnn": keras.layers.SimpleRNNCell, "lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}


def recurrence(definition: ModelDefinition, seeds: Iterator[int]) -> Callable[[Any], Any]:
    """The recurrent layers of a model file, stacked, from a sequence of segments to one state.

    A network of the user's own, `package.module:build`, is called with the definition and a seed, and returns what
    maps a tensor of shape (batch, steps, features) to one of shape (batch, state), a Keras layer for instance.

    Args:
        definition: The model file.
        seeds: Where initial weights take their seeds from.

    Raises:
        DefinitionError: The import path leads to nothing that can be called.
    """
    if ":" in definition.network:
        own: Callable[[Any], Any] = _imported(definition.network)(definition, next(seeds))
        return own
    depth = definition.depth
    stacked = [_layer(definition, seeds, return_sequences=place < depth - 1) for place in range(depth)]
    if definition.dilations or definition.residual:
        steps = definition.dilations or (1,) * depth
        stacked = [
            Dilated(layer, steps[place], residual=definition.residual and place > 0)
            for place, layer in enumerate(stacked)
        ]
    stack: Callable[[Any], Any] = keras.Sequential(stacked, name="recurrence")
    return stack


def layers(definition: ModelDefinition, seeds: Iterator[int], **options: bool) -> list[keras.layers.Layer]:
    """The recurrent layers of a model file, each with the same options: `return_sequences`, `return_state`."""
    return [_layer(definition, seeds, **options) for _ in range(definition.depth)]


def cells(definition: ModelDefinition, seeds: Iterator[int]) -> list[keras.layers.Layer]:
    """One step of each of those layers, with weights of its own."""
    made: list[keras.layers.Layer] = []
    for _ in range(definition.depth):
        if definition.network == "custom_lstm":
            made.append(LSTMCell(definition.units, **_start(seeds), **_variant(definition, seeds)))
        else:
            made.append(KERAS_CELLS[definition.network](definition.units, **_start(seeds)))
    return made


def _layer(definition: ModelDefinition, seeds: Iterator[int], **options: Any) -> keras.layers.Layer:
    options = {**_start(seeds), **options}
    if definition.network == "custom_lstm":
        options["implementation"] = definition.implementation
        return LSTM(definition.units, **options, **_variant(definition, seeds))
    if definition.network != "simple_rnn":
        options["use_cudnn"] = False  # an exported network must run where there is no GPU
    return KERAS_LAYERS[definition.network](definition.units, **options)


def _start(seeds: Iterator[int]) -> dict[str, Any]:
    """Initial weights."""
    return {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=next(seeds)),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=next(seeds)),
    }


def _variant(definition: ModelDefinition, seeds: Iterator[int]) -> dict[str, Any]:
    """The options of the project's own cell."""
    names = ("peephole", "coupled", "forget_gate", "unit_forget_bias", "layer_norm", "recurrent_dropout")
    chosen = {name: getattr(definition, name) for name in names}
    return {**chosen, "seed": next(seeds)} if definition.recurrent_dropout else chosen


def _imported(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise DefinitionError(f"network: {path!r} cannot be imported ({error}); write package.module:build") from error
    if not callable(found):
        raise DefinitionError(f"network: {path!r} is {type(found).__name__}, not a function that builds a network")
    built: Callable[..., Any] = found
    return built
