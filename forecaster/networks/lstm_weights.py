"""How an LSTM's weights are laid out and begin: blocks of columns, peepholes, seeds, and PyTorch's layout."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from forecaster.errors import DefinitionError

__all__ = ["check", "from_torch", "gate_blocks", "peephole_gates", "seeded", "to_torch"]

BLOCKS = ("input", "forget", "candidate", "output")


def check(units: int, dropout: float, recurrent_dropout: float, seed: int | None) -> None:
    """See that sizes, shares and seed are possible.

    Raises:
        DefinitionError: One is not; names it, what was expected and what was received.
    """
    share = "a share from 0 up to, but not including, 1"
    for name, value, expected, fits in (
        ("units", units, "a positive integer", isinstance(units, int) and units > 0),
        ("dropout", dropout, share, 0 <= dropout < 1),
        ("recurrent_dropout", recurrent_dropout, share, 0 <= recurrent_dropout < 1),
        ("seed", seed, "None or an integer from 0", seed is None or (isinstance(seed, int) and seed >= 0)),
    ):
        if not fits:
            raise DefinitionError(f"Argument `{name}` is expected to be {expected}. Received: {value!r}")


def gate_blocks(forget_gate: bool, coupled: bool) -> tuple[str, ...]:
    """The blocks of columns in an LSTM's matrices, in their order.

    Args:
        forget_gate: Whether there is one.
        coupled: Whether the input gate is 1 - forget gate, and so has no block.

    Returns:
        Some of "input", "forget", "candidate", "output", in this order.

    Raises:
        DefinitionError: Coupled to a gate that does not exist.

    Example:
        >>> gate_blocks(forget_gate=True, coupled=True)
        ('forget', 'candidate', 'output')
    """
    if coupled and not forget_gate:
        raise DefinitionError(
            "Argument `coupled` makes the input gate 1 - forget gate, so it needs `forget_gate=True`. "
            "Received: coupled=True, forget_gate=False. Leave one of the two out."
        )
    missing = {"input": coupled, "forget": not forget_gate}
    return tuple(name for name in BLOCKS if not missing.get(name))


def peephole_gates(peephole: bool | Iterable[str], blocks: Sequence[str]) -> tuple[str, ...]:
    """The gates that look at the cell state, in the order of their weights.

    Args:
        peephole: True for every gate in `blocks`, False for none, or their names.
        blocks: What `gate_blocks` returned.

    Returns:
        Some of "input", "forget", "output", in this order.

    Raises:
        DefinitionError: Something that is not a gate of this cell.

    Example:
        >>> peephole_gates(["output", "input"], gate_blocks(True, False))
        ('input', 'output')
    """
    own = tuple(block for block in blocks if block != "candidate")
    if isinstance(peephole, bool):
        return own if peephole else ()
    if isinstance(peephole, str) or not isinstance(peephole, Iterable) or not set(peephole) <= set(own):
        raise DefinitionError(
            "Argument `peephole` is expected to be True, False or a list with some of the gates that have "
            f"weights of their own in this cell: {', '.join(own)}. Received: peephole={peephole!r}"
        )
    return tuple(gate for gate in own if gate in set(peephole))


def seeded(initializer: Any, seed: int | None, stream: int) -> Any:
    """An initializer that draws from `seed`, unless it has a seed of its own or needs none.

    Args:
        initializer: Anything that `keras.initializers.get` knows.
        seed: The layer's seed; None leaves the initializer as it is.
        stream: Keeps the weights of one layer apart.

    Returns:
        A `keras.initializers.Initializer` or the callable that was given.
    """
    initializer = keras.initializers.get(initializer)
    if seed is None or not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if "seed" not in config or config["seed"] is not None:
        return initializer
    own = int(np.random.SeedSequence((seed, stream)).generate_state(1)[0])
    return type(initializer).from_config({**config, "seed": own})


def to_torch(weights: Sequence[Any], suffix: str = "l0") -> dict[str, NDArray[Any]]:
    """A plain LSTM's weights in the layout of `torch.nn.LSTM`.

    PyTorch multiplies from the left, so its matrices are ours transposed: `weight_ih` (4 units, features),
    `weight_hh` (4 units, units). Its gate order i, f, g, o is ours. It adds two biases: the first gets ours,
    the second zeros.

    Args:
        weights: `LSTM.get_weights()`: kernel (features, 4 units), recurrent kernel (units, 4 units) and, if
            there is one, bias (4 units,).
        suffix: The layer within the PyTorch module, "l0" or "l1_reverse" say.

    Returns:
        Names and arrays for `load_state_dict` (each through `torch.from_numpy`).

    Raises:
        DefinitionError: The weights are those of a variant that PyTorch does not have.

    Example:
        >>> state = to_torch([np.ones((3, 8)), np.ones((2, 8)), np.ones(8)])
        >>> {name: array.shape for name, array in state.items()}
        {'weight_ih_l0': (8, 3), 'weight_hh_l0': (8, 2), 'bias_ih_l0': (8,), 'bias_hh_l0': (8,)}
    """
    kernel, recurrent_kernel, *bias = (np.asarray(weight) for weight in weights)
    if len(bias) > 1 or recurrent_kernel.shape[1] != 4 * recurrent_kernel.shape[0]:
        raise DefinitionError(
            "Argument `weights` is expected to be those of a plain LSTM, (features, 4 units), "
            "(units, 4 units) and perhaps (4 units,): PyTorch has no layer for the other variants. "
            f"Received shapes: {[np.shape(weight) for weight in weights]}"
        )
    state = {f"weight_ih_{suffix}": kernel.T.copy(), f"weight_hh_{suffix}": recurrent_kernel.T.copy()}
    if bias:
        state |= {f"bias_ih_{suffix}": bias[0].copy(), f"bias_hh_{suffix}": np.zeros_like(bias[0])}
    return state


def from_torch(state: Mapping[str, Any], suffix: str = "l0") -> list[NDArray[Any]]:
    """The weights of one layer of a `torch.nn.LSTM` as `LSTM.set_weights` takes them.

    Args:
        state: The module's `state_dict()`, of CPU tensors or arrays.
        suffix: The layer within the module, "l0" or "l1_reverse" say.

    Returns:
        Kernel (features, 4 units), recurrent kernel (units, 4 units) and, if the module has biases, their sum
        (4 units,); without them the layer is `LSTM(units, use_bias=False)`.

    Raises:
        DefinitionError: There is no such layer, or it projects its hidden state (`proj_size`).
    """
    if f"weight_ih_{suffix}" not in state or f"weight_hr_{suffix}" in state:
        raise DefinitionError(
            f"Argument `state` is expected to hold weight_ih_{suffix} and weight_hh_{suffix}, and no "
            f"weight_hr_{suffix} (proj_size). Received: {sorted(state)}"
        )
    kernel, recurrent_kernel = (np.asarray(state[f"weight_{part}_{suffix}"]).T.copy() for part in ("ih", "hh"))
    biases = [np.asarray(state[name]) for part in ("ih", "hh") if (name := f"bias_{part}_{suffix}") in state]
    return [kernel, recurrent_kernel, biases[0] + biases[1]] if biases else [kernel, recurrent_kernel]
