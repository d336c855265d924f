"""Recurrent layers, stacked, whose state is handed in and out by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from forecaster.config import ModelDefinition
from forecaster.errors import DefinitionError
from forecaster.networks.kind import State
from forecaster.networks.recurrence import layers

__all__ = ["Stack"]

STATES = {"simple_rnn": ("h",), "gru": ("h",), "lstm": ("h", "c"), "custom_lstm": ("h", "c"), "feed_forward": ()}
"""What the states of a network's layers are called, in the order of Keras; a feed-forward one has none."""


class Stack(keras.layers.Layer):
    """The recurrent layers of a model file, from a sequence to a sequence, with their state in plain sight.

    Args:
        definition: The model file.
        seeds: Where initial weights take their seeds from.

    Call arguments:
        sequence: Shape (batch, steps, features).
        state: `recurrence/<layer>/h` and `…/c`, (batch, units) each.

    Returns:
        Outputs of the last layer (batch, steps, units), and the new state.

    Raises:
        DefinitionError: The network is the user's own function, which keeps its state to itself.
    """

    def __init__(self, definition: ModelDefinition, seeds: Iterator[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if definition.network not in STATES:
            raise DefinitionError(
                f"network: {definition.network!r} cannot go step by step, since its state is not known; write "
                f"strategy: direct, or one of the networks {', '.join(STATES)}"
            )
        self.units, self.names = definition.units, STATES[definition.network]
        self.layers = _layers(definition, seeds)
        self.widths = {
            f"recurrence_{place}_{name}": self.units for place in range(definition.depth) for name in self.names
        }

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the layers' weights."""
        for place, layer in enumerate(self.layers):
            layer.build((None, None, self.units) if place else shape)
        self.built = True

    def call(self, sequence: Any, state: State, training: bool = False) -> tuple[Any, State]:
        """See the class. A single step goes through the cells, which spares a loop inside of a loop."""
        new: State = {}
        for place, layer in enumerate(self.layers):
            names = [f"recurrence_{place}_{name}" for name in self.names]
            before = [state[name] for name in names]
            if not names:
                sequence, after = layer(sequence), []
            elif sequence.shape[1] == 1:
                output, after = layer.cell(sequence[:, 0], before, training=training)
                sequence = output[:, None]
            else:
                sequence, *after = layer(sequence, initial_state=before, training=training)
            new.update(zip(names, after, strict=True))
        return sequence, new


def _layers(definition: ModelDefinition, seeds: Iterator[int]) -> list[keras.layers.Layer]:
    if definition.network != "feed_forward":
        return layers(definition, seeds, return_sequences=True, return_state=True)
    starts = [keras.initializers.GlorotUniform(seed=next(seeds)) for _ in range(definition.depth)]
    return [keras.layers.Dense(definition.units, "tanh", kernel_initializer=start) for start in starts]
