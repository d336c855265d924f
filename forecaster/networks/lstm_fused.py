"""The LSTM over a whole sequence by TensorFlow's own kernel: one operation in place of a loop of small ones.

The one file of `networks` that needs TensorFlow, since `keras.ops` has no name for the kernel; `lstm.LSTM` imports it
on that backend only, and uses it where `obstacle` finds nothing against it. It computes what the loop computes, to
rounding. Why it is made as it is, and what was tried besides, is in `tests/benchmarks/NOTES.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

# The only way to know, inside, that `jit_compile=True` was said outside; it has no public name.
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from forecaster.networks.lstm_cell import LSTMCell

__all__ = ["obstacle", "run"]

Tensor = Any

PARTS = 16
"""At most so many parts of a batch; parts run beside each other, one on a core."""
ROWS = 64
"""Rows of a part that suit a core's cache."""
FEWEST_ROWS = 16
"""Rows from which a second part, and with it a second core, is worth its cost."""
WIDE = 64
"""Units above which the weights' gradient is quicker as one product behind the loop than as a sum inside the kernel,
and recurrent dropout by the kernel of one step than by the loop of `keras.ops`."""


def obstacle(cell: LSTMCell, mask: Tensor, recurrent_mask: Tensor, unroll: bool) -> str | None:
    """What hinders the kernel, in words for an error; None if nothing does.

    Args:
        cell: With its options.
        mask: Of steps to skip, or None.
        recurrent_mask: Of recurrent dropout, or None.
        unroll: Whether the loop was asked to be written out.
    """
    usual = cell.activation is keras.activations.tanh and cell.recurrent_activation is keras.activations.sigmoid
    compiled = not tf.executing_eagerly() and GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
    found = {
        "a variant other than peepholes": not cell.forget_gate or cell.coupled or cell.layer_norm,
        "activations other than tanh and sigmoid": not usual,
        f"dtype {cell.compute_dtype} (it has float32)": cell.compute_dtype != "float32",
        "a mask": mask is not None,
        "recurrent dropout in training and peepholes": recurrent_mask is not None and bool(cell.peephole),
        f"recurrent dropout in training and at most {WIDE} units": recurrent_mask is not None and cell.units <= WIDE,
        "unroll=True": unroll,
        "compilation by XLA (jit_compile=True)": compiled,
        "a GPU (it was measured on CPUs only)": bool(tf.config.list_physical_devices("GPU")),
    }
    return next((reason for reason, holds in found.items() if holds), None)


def run(
    cell: LSTMCell,
    sequences: Tensor,
    initial_state: Sequence[Tensor],
    recurrent_mask: Tensor | None,
    go_backwards: bool,
    return_sequences: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Reads sequences, part of the batch by part, each part on one core.

    Args:
        cell: A built cell that `obstacle` says nothing against.
        sequences: (batch, time, features).
        initial_state: h and c, (batch, units) each.
        recurrent_mask: What h is multiplied by before the recurrent product, (batch, units), or None.
        go_backwards: Read from the end.
        return_sequences: Return all outputs.

    Returns:
        As `keras.layers.RNN.inner_loop`: the last output (batch, units), all outputs (batch, time, units) or else the
        last as the only one, and the last states [h, c].
    """
    sequences = tf.cast(sequences, cell.compute_dtype)  # the kernel takes no whole numbers
    sequences = tf.reverse(sequences, [1]) if go_backwards else sequences
    weights, peephole = _weights(cell), bool(cell.peephole)

    def part(first: Any, end: Any) -> tuple[Tensor, Tensor]:
        x, h, c = (array[first:end] for array in (sequences, *map(tf.convert_to_tensor, initial_state)))
        kept = None if recurrent_mask is None else recurrent_mask[first:end]
        hidden, last = _sequence(tf.transpose(x, (1, 0, 2)), h, c, weights, peephole, return_sequences, kept)
        return tf.transpose(hidden, (1, 0, 2)) if return_sequences else hidden[:, None], last

    known = sequences.shape[0]
    if recurrent_mask is not None:  # by steps, whose number of operations counts for more than a second core
        outputs, cells = part(0, tf.shape(sequences)[0])
    elif known is None:
        outputs, cells = _open_batch(part, tf.shape(sequences)[0])
    else:
        outputs, cells = _known_batch(part, known)
    outputs = tf.ensure_shape(outputs, (known, sequences.shape[1] if return_sequences else 1, cell.units))
    return outputs[:, -1], outputs, [outputs[:, -1], tf.ensure_shape(cells, (known, cell.units))]


def _known_batch(part: Callable[[Any, Any], tuple[Tensor, Tensor]], batch: int) -> tuple[Tensor, ...]:
    """What the parts of a batch return, one behind the other."""
    count = max(1, min(batch // FEWEST_ROWS, 2), min(batch // ROWS, PARTS))
    done = [part(batch * place // count, batch * (place + 1) // count) for place in range(count)]
    return tuple(made[0] if count == 1 else tf.concat(made, axis=0) for made in zip(*done, strict=True))


def _open_batch(part: Callable[[Any, Any], tuple[Tensor, Tensor]], batch: Tensor) -> tuple[Tensor, ...]:
    """The same in a graph for batches of any size; a loop whose turns need not wait for each other."""
    count = tf.maximum(tf.minimum(batch // FEWEST_ROWS, 2), tf.minimum(batch // ROWS, PARTS))
    count = tf.maximum(count, 1)

    def turn(place: Tensor, *done: tf.TensorArray) -> tuple[Any, ...]:
        made = part(batch * place // count, batch * (place + 1) // count)
        return place + 1, *(array.write(place, one) for array, one in zip(done, made, strict=True))

    empty = [tf.TensorArray(tf.float32, count, infer_shape=False) for _ in range(2)]
    _, *done = tf.while_loop(lambda place, *_: place < count, turn, (0, *empty), parallel_iterations=PARTS)
    return tuple(array.concat() for array in done)


class _Weights(NamedTuple):
    """[W; U] (features + units, 4 units), b (4 units,) and the three peepholes (units,)."""

    joined: Tensor
    bias: Tensor
    input: Tensor
    forget: Tensor
    output: Tensor


def _weights(cell: LSTMCell) -> _Weights:
    """The cell's weights, and zeros for those that it lacks."""
    bias = tf.zeros(4 * cell.units) if cell.bias is None else tf.convert_to_tensor(cell.bias)
    rows = {gate: cell.peephole_kernel[row] for row, gate in enumerate(cell.peephole)}
    peepholes = (rows.get(gate, tf.zeros(cell.units)) for gate in ("input", "forget", "output"))
    return _Weights(cell.joined_kernel(), bias, *peepholes)


def _sequence(
    x: Tensor, hidden: Tensor, cell: Tensor, weights: _Weights, peephole: bool, every: bool, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Every h (time, batch, units), or the last (batch, units), and the last c, with their gradient.

    Args:
        x: (time, batch, features).
        hidden: h before the first step, (batch, units).
        cell: c before the first step.
        weights: The kernel's.
        peephole: Whether it looks at those of the peepholes.
        every: Whether to return every h.
        mask: What h is multiplied by before the recurrent product, (batch, units), or None.
    """
    gradient = _gradient if peephole or (mask is None and cell.shape[-1] <= WIDE) else _gradient_by_steps

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def sequence(x: Tensor, h: Tensor, c: Tensor, *weights: Tensor) -> Any:
        names = dict(zip(("w", "b", "wci", "wcf", "wco"), weights, strict=True))
        given = {"x": x, "h_prev": h, "cs_prev": c, "use_peephole": peephole, **names}
        made = _whole(given) if mask is None else _by_steps(given, mask)
        shown = made["h"] if every else made["h"][-1]
        return (shown, made["cs"][-1]), lambda hidden, last: gradient(given, made, hidden, last, mask)

    both: tuple[Tensor, Tensor] = sequence(x, hidden, cell, *weights)
    return both


def _whole(given: dict[str, Any]) -> dict[str, Tensor]:
    """Gates and states of every step, (time, batch, units) each, by the kernel of a whole sequence."""
    length = tf.shape(given["x"], out_type=tf.int64)[0]
    made: dict[str, Tensor] = tf.raw_ops.BlockLSTMV2(**given, seq_len_max=length, cell_clip=0.0)._asdict()
    return made


def _by_steps(given: dict[str, Any], mask: Tensor) -> dict[str, Tensor]:
    """The same by the kernel of one step in a loop, which lets h be masked in between.

    That kernel has the older order of gates: input, candidate, forget, output.
    """
    x, fixed = given["x"], _of_a_step(given)
    fixed |= {"w": _other_order(given["w"]), "b": _other_order(given["b"]), "forget_bias": 0.0, "cell_clip": 0.0}
    names, steps, shape = ("i", "cs", "f", "o", "ci", "co", "h"), tf.shape(x)[0], given["cs_prev"].shape

    def step(t: Tensor, h: Tensor, c: Tensor, *arrays: tf.TensorArray) -> tuple[Any, ...]:
        made = tf.raw_ops.LSTMBlockCell(x=x[t], cs_prev=c, h_prev=h * mask, **fixed)
        written = (array.write(t, getattr(made, name)) for name, array in zip(names, arrays, strict=True))
        return t + 1, made.h, made.cs, *written

    empty = [tf.TensorArray(tf.float32, steps, element_shape=shape) for _ in names]
    begin = (0, given["h_prev"], given["cs_prev"], *empty)
    _, _, _, *arrays = tf.while_loop(lambda t, *_: t < steps, step, begin, parallel_iterations=1)
    return {name: array.stack() for name, array in zip(names, arrays, strict=True)}


def _gradient(
    given: dict[str, Any], made: dict[str, Tensor], hidden: Tensor, last_cell: Tensor, mask: None
) -> tuple[Tensor, ...]:
    """By the kernel's twin, from the gradients of h, shaped as returned, and of c; in the order of the arguments."""
    before = tf.zeros_like(made["h"][1:])
    pulls = {"cs_grad": tf.concat([before, last_cell[None]], axis=0), "h_grad": hidden}
    if len(hidden.shape) == 2:
        pulls["h_grad"] = tf.concat([before, hidden[None]], axis=0)
    length = tf.shape(made["h"], out_type=tf.int64)[0]
    back = tf.raw_ops.BlockLSTMGradV2(**given, **made, **pulls, seq_len_max=length)
    peepholes = back.wci_grad, back.wcf_grad, back.wco_grad
    return back.x_grad, back.h_prev_grad, back.cs_prev_grad, back.w_grad, back.b_grad, *peepholes


def _gradient_by_steps(
    given: dict[str, Any], made: dict[str, Tensor], hidden: Tensor, last_cell: Tensor, mask: Tensor | None
) -> tuple[Tensor, ...]:
    """The same by the kernel of one step in a loop, and one product for the weights behind it.

    The kernel of a sequence adds to the whole gradient of [W; U] at each step, which is bound by memory when units are
    many and rows few; and it has no place for a mask m on h: what reads is m ⊙ h, so what comes back is m ⊙ (dz Uᵀ).
    """
    x, start, zeros = given["x"], given["cs_prev"], tf.zeros_like(given["wci"])
    features, units = x.shape[-1], start.shape[-1]
    joined, fixed = _other_order(given["w"]), {"w": given["w"], "b": given["b"], **_of_a_step(given)}
    back_to_h, first = tf.transpose(joined[features:]), x[0]
    before = tf.concat([start[None], made["cs"][:-1]], axis=0)
    steps, every = tf.shape(x)[0], len(hidden.shape) == 3

    def masked(h: Tensor) -> Tensor:
        return h if mask is None else h * mask

    def step(t: Tensor, h: Tensor, c: Tensor, sums: tf.TensorArray) -> tuple[Any, ...]:
        now = {name: made[name][t] for name in ("i", "cs", "f", "o", "ci", "co")}
        pulls = {"cs_grad": c, "h_grad": h + hidden[t] if every else h}
        # of x and h the kernel reads the shapes only
        back = tf.raw_ops.LSTMBlockCellGrad(x=first, cs_prev=before[t], h_prev=start, **fixed, **now, **pulls)
        return t - 1, masked(tf.matmul(back.dicfo, back_to_h)), back.cs_prev_grad, sums.write(t, back.dicfo)

    sums = tf.TensorArray(tf.float32, steps, element_shape=(x.shape[1], 4 * units))
    begin = steps - 1, tf.zeros_like(start) if every else hidden, last_cell, sums
    _, h, c, sums = tf.while_loop(lambda t, *_: t >= 0, step, begin, parallel_iterations=1)
    flat = tf.reshape(sums.stack(), (-1, 4 * units))
    seen = tf.concat([x, masked(tf.concat([given["h_prev"][None], made["h"][:-1]], axis=0))], axis=-1)
    of_joined = tf.matmul(tf.reshape(seen, (-1, features + units)), flat, transpose_a=True)
    of_x = tf.reshape(tf.matmul(flat, joined[:features], transpose_b=True), tf.shape(x))
    return of_x, h, c, _other_order(of_joined), _other_order(tf.reduce_sum(flat, axis=0)), zeros, zeros, zeros


def _of_a_step(given: dict[str, Any]) -> dict[str, Any]:
    """What both kernels of one step are given besides states and weights."""
    return {name: given[name] for name in ("wci", "wcf", "wco", "use_peephole")}


def _other_order(columns: Tensor) -> Tensor:
    """Blocks input, forget, candidate, output as input, candidate, forget, output, or back."""
    i, second, third, o = tf.split(columns, 4, axis=-1)
    return tf.concat([i, third, second, o], axis=-1)
