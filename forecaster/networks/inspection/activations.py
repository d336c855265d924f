"""Gates and states over time: the recurrent layers of a model stepped through in plain sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.inspection.cells import Step, Stepper, stepper
from forecaster.networks.inspection.layers import is_composite, labels, recurrent_parts

__all__ = ["Mark", "Recording", "Trace", "activations", "recorded"]

Tensor = Any
Mark = Callable[[list[Tensor]], list[Tensor]]
"""Takes states on their way from one step to the next, and gives back what is to be handed on."""


@dataclass(frozen=True)
class Trace:
    """What one recurrent layer computed at every step, in the order in which it read.

    Attributes:
        layer: Its name, see `labels`.
        kind: `simple_rnn`, `gru`, `lstm`, `custom_lstm`, or the name of the cell's class.
        gates: Name -> shape (batch, steps, units); float32. The candidate is among them.
        states: `hidden`, and `cell` where there is one; the same shape.
        backwards: Whether it read from the end.
    """

    layer: str
    kind: str
    gates: Mapping[str, np.ndarray]
    states: Mapping[str, np.ndarray]
    backwards: bool = False

    @property
    def steps(self) -> int:
        """How many it took."""
        return int(self.states["hidden"].shape[1])

    @property
    def units(self) -> int:
        """Width of the hidden state."""
        return int(self.states["hidden"].shape[2])


def activations(model: Any, inputs: Any) -> list[Trace]:
    """Runs a model and returns what its recurrent layers computed, step by step, with their own weights.

    Args:
        model: Any Keras model or layer, built.
        inputs: What it is called with.

    Returns:
        A trace for each recurrent layer, in the order of the model. A layer that was called several times in one run
        (a decoder that steps, say) has all of its steps in one trace. A layer that was not called has none.

    Example:
        >>> lstm = keras.layers.LSTM(3)
        >>> [trace] = activations(keras.Sequential([keras.Input((5, 2)), lstm]), np.ones((4, 5, 2), "float32"))
        >>> sorted(trace.gates), trace.states["cell"].shape
        (['candidate', 'forget', 'input', 'output'], (4, 5, 3))
    """
    with recorded(model) as recordings:
        model(inputs, training=False)
    return [recording.trace() for recording in recordings if recording.steps]


@dataclass
class Recording:
    """The steps of one layer while they are made.

    Attributes:
        layer: A recurrent layer or a cell.
        label: Its name.
        mark: Sees the states that each step starts from and ends with.
        initial: The states that the first step started from.
        steps: Those made until now.
    """

    layer: Any
    label: str
    mark: Mark
    initial: list[Tensor] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def stepper(self) -> Stepper:
        """How its cell is stepped."""
        return stepper(getattr(self.layer, "cell", self.layer))

    def trace(self) -> Trace:
        """The same as arrays."""
        stepper = self.stepper
        states = {name: _stacked([step.states[place] for step in self.steps]) for place, name in
                  enumerate(stepper.states)}  # fmt: skip
        gates = {name: _stacked([step.gates[name] for step in self.steps]) for name in self.steps[0].gates}
        return Trace(self.label, stepper.kind, gates, states, bool(getattr(self.layer, "go_backwards", False)))

    def run_layer(
        self, sequences: Tensor, initial_state: Any = None, mask: Tensor | None = None, training: bool = False
    ) -> Any:
        """What `keras.layers.RNN.call` does in inference, a step at a time."""
        layer, step = self.layer, self.stepper.step
        states = self._start(sequences, initial_state)
        order = range(sequences.shape[1])
        outputs: list[Tensor] = []
        for time in reversed(order) if layer.go_backwards else order:
            new = step(sequences[:, time], _nested(layer.cell, states))
            there = None if mask is None else ops.expand_dims(mask[:, time], -1)
            new = self._keep(_kept_where_masked(new, states, there))
            states = new.states
            repeated = outputs[-1] if outputs and not layer.zero_output_for_mask else ops.zeros_like(new.output)
            outputs.append(new.output if there is None else ops.where(there, new.output, repeated))
        answer = ops.stack(outputs, axis=1) if layer.return_sequences else outputs[-1]
        return (answer, *_nested(layer.cell, states)) if layer.return_state else answer

    def run_cell(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """One step of a cell that something else drives.

        Where it begins again from its first states, what was recorded before was a trial and is forgotten; steps of
        another batch size (sampled paths, say) are made but not recorded.
        """
        before = keras.tree.flatten(states)
        if self.steps and before[0].shape[0] != self.initial[0].shape[0]:
            return self.stepper.step(inputs, before)[:2]
        if self.steps and all(map(_same, before, self.initial)):
            self.steps.clear()
        new = self._keep(self.stepper.step(inputs, self._begin(before)))
        return new.output, new.states

    def _start(self, sequences: Tensor, initial_state: Any) -> list[Tensor]:
        layer = self.layer
        if initial_state is None:
            initial_state = layer.states if layer.stateful else layer.get_initial_state(ops.shape(sequences)[0])
        dtype = layer.cell.compute_dtype
        return self._begin([ops.convert_to_tensor(state, dtype=dtype) for state in keras.tree.flatten(initial_state)])

    def _begin(self, states: list[Tensor]) -> list[Tensor]:
        if not self.steps:
            states = self.initial = self.mark(states)
        return states

    def _keep(self, step: Step) -> Step:
        """Marks the states; where the cell's output is its hidden state, it stays the same tensor."""
        states = self.mark(step.states)
        output = states[0] if step.output is step.states[0] else step.output
        self.steps.append(Step(output, states, step.gates))
        return self.steps[-1]


@contextmanager
def recorded(model: Any, mark: Mark = list) -> Iterator[list[Recording]]:
    """While it lasts, the recurrent layers of a model step in Python and record what they compute.

    Their `call` is covered on the instances and uncovered at the end; weights and class stay as they are. Dropout is
    off, and a stateful layer starts from its states but does not move them.

    Args:
        model: Any Keras model, built; it must be called eagerly.
        mark: Sees the list of states that a layer starts from, and those after each step.
    """
    names = labels(model)
    recordings = [Recording(part, names.get(id(part), str(part.name)), mark) for part in recurrent_parts(model)]
    covered: dict[Any, Callable[..., Any]] = {}
    for recording in recordings:
        if isinstance(recording.layer, keras.layers.RNN):
            covered[recording.layer] = recording.run_layer
        if recording.stepper.knows_gates:  # such a cell may be stepped by itself, past its loop
            covered[getattr(recording.layer, "cell", recording.layer)] = recording.run_cell
    for layer, call in covered.items():
        layer.call = call
    try:
        yield [recording for recording in recordings if not is_composite(recording.layer)]
    finally:
        for layer in covered:
            del layer.call


def _kept_where_masked(new: Step, before: list[Tensor], there: Tensor | None) -> Step:
    """A step whose states are those before it wherever it is masked."""
    states = keras.tree.flatten(new.states)
    if there is None:
        return new._replace(states=states)
    kept = [ops.where(there, one, old) for one, old in zip(states, before, strict=True)]
    return Step(kept[0] if new.output is states[0] else new.output, kept, new.gates)


def _same(one: Tensor, other: Tensor) -> bool:
    return one is other or np.array_equal(ops.convert_to_numpy(one), ops.convert_to_numpy(other))


def _nested(cell: Any, states: list[Tensor]) -> Any:
    """States as the cell wants them: those of stacked cells lie in lists."""
    return keras.tree.pack_sequence_as(cell.state_size, states) if isinstance(cell.state_size, list | tuple) else states


def _stacked(parts: list[Tensor]) -> np.ndarray:
    return np.stack([np.asarray(ops.convert_to_numpy(part), np.float32) for part in parts], axis=1)
