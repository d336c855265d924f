"""Finding the recurrent layers of any Keras model, and names for its layers that do not change from run to run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras

__all__ = ["is_composite", "labels", "recurrent_parts", "walk"]

_PLAIN = (keras.Model, keras.layers.Wrapper, keras.layers.Bidirectional)
"""Layers around others whose names tell nothing of what those are for."""


def walk(layer: Any) -> Iterator[Any]:
    """Every layer inside a layer or model, each once, outer ones before inner ones, otherwise in their order.

    (Keras' public `layers` ends at the first level: wrappers and layers of a user's own have none.)
    """
    seen = {id(layer)}

    def inside(outer: Any) -> Iterator[Any]:
        for inner in outer._layers:
            if id(inner) not in seen:
                seen.add(id(inner))
                yield inner
                yield from inside(inner)

    yield from inside(layer)


def recurrent_parts(model: Any) -> list[Any]:
    """The layers that own a loop over time, and cells that are stepped by something else than such a layer.

    A cell is what maps inputs and states to an output and new states and says its `state_size`. Of a loop whose cell is
    made of cells (stacked ones, a decoder's), both the loop and those cells are parts.
    """
    return [layer for layer in _own(model) if isinstance(layer, keras.layers.RNN) or _is_cell(layer)]


def is_composite(layer: Any) -> bool:
    """Whether a loop or a cell steps cells that lie inside its own cell."""
    return any(_has_states(part) for part in walk(getattr(layer, "cell", layer)))


def _own(model: Any) -> list[Any]:
    """Every layer but the cells that a loop over time steps, which are its business."""
    found = list(walk(model))
    loops = [layer for layer in found if isinstance(layer, keras.layers.RNN)]
    driven = {id(loop.cell) for loop in loops}
    return [layer for layer in found if id(layer) not in driven]


def _has_states(layer: Any) -> bool:
    return bool(keras.tree.flatten(getattr(layer, "state_size", ())))


def _is_cell(layer: Any) -> bool:
    return _has_states(layer) and not isinstance(layer, keras.layers.RNN) and not is_composite(layer)


def labels(model: Any) -> dict[int, str]:
    """A short name for each layer by its id: its own without Keras' running number, numbered where several share it.

    A cell goes by its loop's name. What is stepped inside of another layer, a decoder say, has its name in front.

    Example:
        >>> stack = [keras.Input((5, 2)), keras.layers.GRU(3, return_sequences=True), keras.layers.GRU(3)]
        >>> list(labels(keras.Sequential([*stack, keras.layers.Dense(1, name="head")])).values())
        ['input layer', 'gru 1', 'gru 2', 'head']
    """
    tops = {id(part): top for top in model._layers if not isinstance(top, _PLAIN) for part in walk(top)}
    names = {}
    for layer in _own(model):
        inside = id(layer) in tops and _has_states(layer)
        parts = [tops[id(layer)].name, layer.name] if inside else [layer.name]
        names[id(layer)] = " ".join(re.sub(r"_\d+$", "", str(part)).replace("_", " ") for part in parts)
    several = {name for name, count in Counter(names.values()).items() if count > 1}
    reached: Counter[str] = Counter()
    found = {}
    for place, name in names.items():
        reached[name] += 1
        found[place] = f"{name} {reached[name]}" if name in several else name
    return found
