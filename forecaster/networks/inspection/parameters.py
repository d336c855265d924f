"""The weights of a network by matrix: what each one joins, its shape, and how its count comes about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from forecaster.networks.inspection.layers import labels, walk
from forecaster.networks.lstm_cell import LSTMCell

__all__ = ["LayerParameters", "Matrix", "parameters"]

LETTERS = {
    "input": "i", "forget": "f", "candidate": "g", "output": "o", "update": "z", "reset": "r",
}  # fmt: skip
"""Of the gates, as in the equations of the cells."""


@dataclass(frozen=True)
class Matrix:
    """One matrix or vector of weights, or the part of one that belongs to a gate.

    Attributes:
        name: As in the equations: `W_xh`, `W_hf`, `b_o`, ….
        joins: What it does, in words.
        shape: Of this part.
        formula: How the count comes about: `2 inputs × 4 units`.
        trainable: Whether training changes it.
    """

    name: str
    joins: str
    shape: tuple[int, ...]
    formula: str
    trainable: bool = True

    @property
    def count(self) -> int:
        """Numbers in it."""
        product = 1
        for size in self.shape:
            product *= size
        return product


@dataclass(frozen=True)
class LayerParameters:
    """The matrices of one layer.

    Attributes:
        layer: Its name, see `labels`.
        kind: `simple_rnn`, `gru`, `lstm`, `custom_lstm`, `dense`, or the name of its class.
        formula: How the count of the layer comes about; empty where it is one matrix only.
        matrices: In the order of its weights.
    """

    layer: str
    kind: str
    formula: str
    matrices: tuple[Matrix, ...]

    @property
    def count(self) -> int:
        """Numbers in all of them."""
        return sum(matrix.count for matrix in self.matrices)


def parameters(model: Any) -> list[LayerParameters]:
    """Every weight of a model by layer and matrix.

    Args:
        model: Any Keras model or layer, built.

    Returns:
        The layers that have weights of their own, in the order of the model.

    Example:
        >>> elman = keras.Sequential([keras.Input((None, 2)), keras.layers.SimpleRNN(4), keras.layers.Dense(1)])
        >>> {matrix.name: matrix.count for layer in parameters(elman) for matrix in layer.matrices}
        {'W_xh': 8, 'W_hh': 16, 'b_h': 4, 'W_hy': 4, 'b_y': 1}
    """
    names = labels(model)
    layers = list(walk(model)) or [model]
    dense = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    roles = _dense_roles(dense, any(hasattr(layer, "state_size") for layer in layers))
    loops = {id(layer.cell): layer for layer in layers if isinstance(layer, keras.layers.RNN)}
    found = []
    for layer in layers:
        kind, formula, matrices = _of(layer, roles)
        if matrices:
            owner = loops.get(id(layer), layer)
            found.append(LayerParameters(names.get(id(owner), str(owner.name)), kind, formula, tuple(matrices)))
    return found


def _of(layer: Any, roles: dict[int, tuple[str, str, str]]) -> tuple[str, str, list[Matrix]]:
    """Kind, formula and matrices of the weights that are a layer's own, not those of layers inside it."""
    if isinstance(layer, LSTMCell):
        extra = " + peepholes" * bool(layer.peephole) + " + gains" * layer.layer_norm
        return "custom_lstm", _formula(layer, len(layer.blocks)) + extra, list(_custom_lstm(layer))
    if isinstance(layer, keras.layers.LSTMCell):
        return "lstm", _formula(layer, 4), list(_gated(layer, ("input", "forget", "candidate", "output")))
    if isinstance(layer, keras.layers.GRUCell):
        return "gru", _formula(layer, 3), list(_gated(layer, ("update", "reset", "candidate")))
    if isinstance(layer, keras.layers.SimpleRNNCell):
        return "simple_rnn", _formula(layer, 1), list(_gated(layer, ("hidden",)))
    if isinstance(layer, keras.layers.Dense):
        return "dense", "", list(_dense(layer, roles[id(layer)]))
    return type(layer).__name__, "", list(_others(layer))


def _formula(cell: Any, blocks: int) -> str:
    """Such as 4 × (2 × 3 + 3 × 3 + 3): blocks of inputs × units, units × units, and biases."""
    features, units = cell.kernel.shape[0], cell.units
    biases = "" if cell.bias is None else f" + {f'{cell.bias.shape[0]} × ' if len(cell.bias.shape) == 2 else ''}{units}"
    inside = f"{features} × {units} + {units} × {units}{biases}"
    return f"{blocks} × ({inside})" if blocks > 1 else inside


def _gated(cell: Any, blocks: tuple[str, ...]) -> Iterator[Matrix]:
    """Input matrix, recurrent matrix and biases, block by block."""
    features, units = cell.kernel.shape[0], cell.units
    letters = {block: LETTERS.get(block, "h") for block in blocks}
    places = {block: block if block in ("hidden", "candidate") else f"{block} gate" for block in blocks}
    places = {block: "hidden state" if place == "hidden" else place for block, place in places.items()}
    for block, letter in letters.items():
        yield _matrix(f"W_x{letter}", f"inputs to {places[block]}", (features, "inputs"), (units, "units"))
    for block, letter in letters.items():
        yield _matrix(f"W_h{letter}", f"hidden state to {places[block]}", (units, "units"), (units, "units"))
    if cell.bias is None:
        return
    two = len(cell.bias.shape) == 2  # a GRU with `reset_after` adds one to the inputs' sum, one to the hidden state's
    for of in ("x", "h") if two else ("",):
        whose = {"x": ", with the inputs", "h": ", with the hidden state", "": ""}[of]
        for block, letter in letters.items():
            yield _matrix(f"b_{of}{letter}", f"bias of {places[block]}{whose}", (units, "units"))


def _custom_lstm(cell: LSTMCell) -> Iterator[Matrix]:
    yield from _gated(cell, cell.blocks)
    units = cell.units
    for gate in cell.peephole:
        yield _matrix(f"p_{LETTERS[gate]}", f"peephole of {gate} gate", (units, "units"))
    if cell.layer_norm:
        for which, of in (("x", "inputs'"), ("h", "hidden state's")):
            yield _matrix(f"α_{which}", f"gain of the {of} sums", (len(cell.blocks), "blocks"), (units, "units"))
        yield _matrix("α_c", "gain of the cell state", (units, "units"))
    if cell.cell_offset is not None:
        yield _matrix("β_c", "offset of the cell state", (units, "units"))


def _dense_roles(dense: list[Any], recurrent: bool) -> dict[int, tuple[str, str, str]]:
    """Name of the matrix, of the bias, and words, for each dense layer of a network.

    The last one and those that are called a head are output layers; without a recurrence, the first reads the inputs.
    """
    roles = {}
    for place, layer in enumerate(dense):
        if place == len(dense) - 1 or "head" in layer.name:
            role = ("W_hy", "b_y", "hidden units to outputs")
        elif place == 0 and not recurrent:
            role = ("W_xh", "b_h", "inputs to hidden units")
        else:
            role = ("W", "b", "units to units")
        roles[id(layer)] = role
    return roles


def _dense(layer: Any, role: tuple[str, str, str]) -> Iterator[Matrix]:
    name, bias, joins = role
    ends = {"W_xh": ("inputs", "units"), "W_hy": ("units", "outputs"), "W": ("units", "units")}[name]
    rows, columns = layer.kernel.shape
    yield _matrix(name, joins, (rows, ends[0]), (columns, ends[1]), trainable=layer.trainable)
    if layer.bias is not None:
        yield _matrix(bias, f"bias of {ends[1]}", (columns, ends[1]), trainable=layer.trainable)


def _others(layer: Any) -> Iterator[Matrix]:
    """Weights of a layer that is not known here, by their own names."""
    inner = {id(weight) for part in walk(layer) for weight in part.weights}
    for weight in layer.weights:
        if id(weight) not in inner:
            sizes = [(int(size), "") for size in weight.shape]
            yield _matrix(weight.name, "", *sizes, trainable=weight.trainable)


def _matrix(name: str, joins: str, *sizes: tuple[int, str], trainable: bool = True) -> Matrix:
    formula = " × ".join(f"{size:,} {what}".strip() for size, what in sizes) or "1"
    return Matrix(name, joins, tuple(size for size, _ in sizes), formula, trainable)
