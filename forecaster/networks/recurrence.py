"""The recurrence of a network: from a sequence of segments to one state, by the layer that a model file names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.networks.lstm import LSTM

__all__ = ["recurrence"]

KERAS_LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def recurrence(definition: ModelDefinition, seeds: Iterator[int]) -> Callable[[Any], Any]:
    """The recurrent layers of a model file, stacked.

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
    layers = [
        _layer(definition, seeds, return_sequences=place < definition.layers - 1) for place in range(definition.layers)
    ]
    stack: Callable[[Any], Any] = keras.Sequential(layers, name="recurrence")
    return stack


def _layer(definition: ModelDefinition, seeds: Iterator[int], return_sequences: bool) -> keras.layers.Layer:
    options: dict[str, Any] = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=next(seeds)),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=next(seeds)),
        "return_sequences": return_sequences,
    }
    if definition.network == "custom_lstm":
        return LSTM(definition.units, **options)
    if definition.network != "simple_rnn":
        options["use_cudnn"] = False  # an exported network must run where there is no GPU
    return KERAS_LAYERS[definition.network](definition.units, **options)


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
