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
from forecaster.words import plural

__all__ = ["Mark", "Recording", "Run", "Trace", "activations", "recorded"]

Tensor = Any
Mark = Callable[[list[Tensor]], list[Tensor]]
"""Takes states on their way from one step to the next, and gives back what is to be handed on."""


@dataclass(frozen=True)
class Trace:
    """What one recurrent layer computed at every step, in the order in which it read.

    Attributes:
        layer: Its name, see `labels`; with the number of steps behind it where its runs differ in that.
        kind: `simple_rnn`, `gru`, `lstm`, `custom_lstm`, or the name of the cell's class.
        gates: Name -> shape (batch, steps, units); float32. The candidate is among them. Of a layer that runs several
            times over as many steps, the batches of its runs lie one behind the other.
        states: `hidden`, and `cell` where there is one; the same shape, with rows and columns before the units where
            the layer is a convolution.
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
        return int(self.states["hidden"].shape[-1])


def activations(model: Any, inputs: Any) -> list[Trace]:
    """Runs a model and returns what its recurrent layers computed, step by step, with their own weights.

    Args:
        model: Any Keras model or layer, built.
        inputs: What it is called with.

    Returns:
        A trace for each recurrent layer, in the order of the model; for each length where it read sequences of several.
        What goes on from the states in which the layer was left (a decoder that steps, say) is one sequence. A layer
        that was not called has none.

    Example:
        >>> lstm = keras.layers.LSTM(3)
        >>> [trace] = activations(keras.Sequential([keras.Input((5, 2)), lstm]), np.ones((4, 5, 2), "float32"))
        >>> sorted(trace.gates), trace.states["cell"].shape
        (['candidate', 'forget', 'input', 'output'], (4, 5, 3))
    """
    with recorded(model) as recordings:
        model(inputs, training=False)
    return [trace for recording in recordings for trace in recording.traces()]


@dataclass
class Run:
    """The steps that a layer made from the states it began with, each from the states of the one before.

    Attributes:
        initial: The states that the first step started from.
        steps: Those made until now.
    """

    initial: list[Tensor]
    steps: list[Step] = field(default_factory=list)

    @property
    def last(self) -> list[Tensor]:
        """The states in which it stands."""
        return self.steps[-1].states if self.steps else self.initial

    @property
    def states(self) -> list[Tensor]:
        """All states one after the other: before the first step, and after each."""
        return [*self.initial, *(state for step in self.steps for state in step.states)]


@dataclass
class Recording:
    """The runs of one layer while they are made.

    Attributes:
        layer: A recurrent layer or a cell.
        label: Its name.
        mark: Sees the states that each step starts from and ends with.
        runs: Those begun until now.
    """

    layer: Any
    label: str
    mark: Mark
    runs: list[Run] = field(default_factory=list)

    @property
    def stepper(self) -> Stepper:
        """How its cell is stepped."""
        return stepper(getattr(self.layer, "cell", self.layer))

    def runs_by_length(self) -> list[tuple[str, list[Run]]]:
        """Its runs, those of as many steps together, the longest first; and what to call them."""
        found: dict[int, list[Run]] = {}
        for run in self.runs:
            found.setdefault(len(run.steps), []).append(run)
        if len(found) == 1:
            return [(self.label, self.runs)]
        return [(f"{self.label}, {plural(steps, 'step')}", found[steps]) for steps in sorted(found, reverse=True)]

    def traces(self) -> list[Trace]:
        """The same as arrays."""
        return [self._trace(label, [run.steps for run in runs]) for label, runs in self.runs_by_length()]

    def _trace(self, label: str, runs: list[list[Step]]) -> Trace:
        """Of runs of as many steps."""
        stepper, first = self.stepper, runs[0][0]
        names = stepper.named(len(first.states))
        states = {name: _stacked([[step.states[place] for step in run] for run in runs]) for place, name in
                  enumerate(names)}  # fmt: skip
        gates = {name: _stacked([[step.gates[name] for step in run] for run in runs]) for name in first.gates}
        return Trace(label, stepper.kind, gates, states, bool(getattr(self.layer, "go_backwards", False)))

    def run_layer(
        self, sequences: Tensor, initial_state: Any = None, mask: Tensor | None = None, training: bool = False
    ) -> Any:
        """What `keras.layers.RNN.call` does in inference, a step at a time."""
        layer, step = self.layer, self.stepper.step
        run = self._run(sequences, initial_state)
        states = run.last
        order = range(sequences.shape[1])
        outputs: list[Tensor] = []
        for time in reversed(order) if layer.go_backwards else order:
            new = step(sequences[:, time], _nested(layer.cell, states))
            there = None if mask is None else ops.expand_dims(mask[:, time], -1)
            new = self._keep(run, _kept_where_masked(new, states, there))
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
        if self.runs and before[0].shape[0] != self.runs[-1].initial[0].shape[0]:
            return self.stepper.step(inputs, before)[:2]
        if self.runs and all(map(_same, before, self.runs[-1].initial)):
            self.runs.pop()
        if not self.runs:
            self.runs.append(Run(self.mark(before)))
            before = self.runs[-1].initial
        new = self._keep(self.runs[-1], self.stepper.step(inputs, before))
        return new.output, new.states

    def _run(self, sequences: Tensor, initial_state: Any) -> Run:
        """The run that goes on from where the layer was left; a new one where it starts from other states."""
        layer = self.layer
        if initial_state is None:
            initial_state = layer.states if layer.stateful else layer.get_initial_state(ops.shape(sequences)[0])
        dtype = layer.cell.compute_dtype
        states = [ops.convert_to_tensor(state, dtype=dtype) for state in keras.tree.flatten(initial_state)]
        if not self.runs or any(new is not old for new, old in zip(states, self.runs[-1].last, strict=True)):
            self.runs.append(Run(self.mark(states)))
        return self.runs[-1]

    def _keep(self, run: Run, step: Step) -> Step:
        """Marks the states; where the cell's output is its hidden state, it stays the same tensor."""
        states = self.mark(step.states)
        output = states[0] if step.output is step.states[0] else step.output
        run.steps.append(Step(output, states, step.gates))
        return run.steps[-1]


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


def _stacked(runs: list[list[Tensor]]) -> np.ndarray:
    """The steps of each run side by side, the batches of the runs behind each other: (batch, steps, units)."""
    arrays = [[np.asarray(ops.convert_to_numpy(part), np.float32) for part in run] for run in runs]
    return np.concatenate([np.stack(steps, axis=1) for steps in arrays])
