"""One step of each kind of recurrent cell with its gates in the open: the cell's own equations and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from forecaster.networks.lstm_cell import LSTMCell

__all__ = ["Step", "Stepper", "stepper"]

Tensor = Any


class Step(NamedTuple):
    """What one step computed.

    Attributes:
        output: Shape (batch, units).
        states: As the cell hands them on, the hidden state first.
        gates: Name -> shape (batch, units); the candidate is among them.
    """

    output: Tensor
    states: list[Tensor]
    gates: dict[str, Tensor]


class Stepper(NamedTuple):
    """How a cell is stepped.

    Attributes:
        kind: `simple_rnn`, `gru`, `lstm`, `custom_lstm`, or the name of a class.
        states: Names of the states, as far as they are known; see `named`.
        step: Of inputs (batch, features) and states (batch, units) each.
        knows_gates: Whether the equations are known here, so that the cell itself is not called.
    """

    kind: str
    states: tuple[str, ...]
    step: Callable[[Tensor, Sequence[Tensor]], Step]
    knows_gates: bool = True

    def named(self, count: int) -> tuple[str, ...]:
        """Names for as many states as there are; a cell of an unknown class need not say how many it has."""
        return (*self.states, *(f"state {place}" for place in range(len(self.states) + 1, count + 1)))


def stepper(cell: Any) -> Stepper:
    """The stepper of a cell. A cell of an unknown class is called as it is: its states are seen, its gates are not.

    Args:
        cell: Built.
    """
    layers = keras.layers
    if isinstance(cell, LSTMCell):
        return Stepper("custom_lstm", ("hidden", "cell"), lambda x, states: _custom_lstm(cell, x, states))
    if isinstance(cell, layers.LSTMCell):
        return Stepper("lstm", ("hidden", "cell"), lambda x, states: _lstm(cell, x, states))
    if isinstance(cell, layers.GRUCell):
        return Stepper("gru", ("hidden",), lambda x, states: _gru(cell, x, states))
    if isinstance(cell, layers.SimpleRNNCell):
        return Stepper("simple_rnn", ("hidden",), lambda x, states: _simple_rnn(cell, x, states))
    return Stepper(type(cell).__name__, ("hidden",), lambda x, states: _unknown(cell, x, states), False)


def _simple_rnn(cell: Any, x: Tensor, states: Sequence[Tensor]) -> Step:
    """Elman 1990: h = act(x W + h[t-1] U + b)."""
    z = _plus(ops.matmul(x, cell.kernel), cell.bias) + ops.matmul(states[0], cell.recurrent_kernel)
    h = cell.activation(z)
    return Step(h, [h], {})


def _gru(cell: Any, x: Tensor, states: Sequence[Tensor]) -> Step:
    """Cho et al. 2014, blocks z, r, candidate; with `reset_after` r comes after the product, which has a bias.

    z = σ(·), r = σ(·), g = act(x W + r ⊙ (h[t-1] U)), h = z ⊙ h[t-1] + (1 - z) ⊙ g.
    """
    before, width = states[0], 2 * cell.units
    two = cell.use_bias and cell.reset_after
    of_input, of_hidden = (cell.bias[0], cell.bias[1]) if two else (cell.bias, None)
    x_gates, x_candidate = _split(_plus(ops.matmul(x, cell.kernel), of_input), width)
    if cell.reset_after:
        h_gates, h_candidate = _split(_plus(ops.matmul(before, cell.recurrent_kernel), of_hidden), width)
        z, r = ops.split(cell.recurrent_activation(x_gates + h_gates), 2, axis=-1)
        from_before = r * h_candidate
    else:
        U_gates, U_candidate = _split(cell.recurrent_kernel, width)
        z, r = ops.split(cell.recurrent_activation(x_gates + ops.matmul(before, U_gates)), 2, axis=-1)
        from_before = ops.matmul(r * before, U_candidate)
    g = cell.activation(x_candidate + from_before)
    h = z * before + (1 - z) * g
    return Step(h, [h], {"update": z, "reset": r, "candidate": g})


def _lstm(cell: Any, x: Tensor, states: Sequence[Tensor]) -> Step:
    """The plain equations of `forecaster.networks.lstm_cell`, blocks i, f, candidate, o."""
    z = _plus(ops.matmul(x, cell.kernel) + ops.matmul(states[0], cell.recurrent_kernel), cell.bias)
    z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
    i, f, o = (cell.recurrent_activation(part) for part in (z_i, z_f, z_o))
    g = cell.activation(z_g)
    c = f * states[1] + i * g
    h = o * cell.activation(c)
    return Step(h, [h, c], {"input": i, "forget": f, "candidate": g, "output": o})


def _custom_lstm(cell: LSTMCell, x: Tensor, states: Sequence[Tensor]) -> Step:
    """The project's cell says itself what its gates do, whatever the variant."""
    new = cell.activity(cell.sums(x, states[0], cell.joined_kernel()), states[1])
    gates = {"input": new.input, "forget": new.forget, "candidate": new.candidate, "output": new.output}
    return Step(new.hidden, [new.hidden, new.cell], {name: gate for name, gate in gates.items() if gate is not None})


def _unknown(cell: Any, x: Tensor, states: Sequence[Tensor]) -> Step:
    output, after = cell(x, states, training=False) if cell._call_has_training_arg else cell(x, states)
    return Step(output, list(after) if isinstance(after, list | tuple) else [after], {})


def _plus(sums: Tensor, bias: Tensor | None) -> Tensor:
    return sums if bias is None else sums + bias


def _split(sums: Tensor, width: int) -> tuple[Tensor, Tensor]:
    return sums[:, :width], sums[:, width:]
