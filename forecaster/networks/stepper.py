"""A network that goes step by step: it reads step t and says what step t + 1 will be, with all it knows as a state."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# The loop under all recurrent layers of Keras, on every backend; it has no public name.
from keras.src.backend import rnn

from forecaster.networks.features import StaticScale
from forecaster.networks.kind import Kind, Said, State
from forecaster.networks.running_scale import RunningScale
from forecaster.networks.stack import Stack
from forecaster.networks.uniforms import uniforms

__all__ = ["Stepper"]


class Stepper(keras.layers.Layer):
    """The loop over time, whatever the values are (`Kind`) and whatever recurrence reads them (`Stack`).

    One step: the kind reads the observation of step t, or, where it is missing, the value `expected` that the network
    itself said for it; the recurrence reads that, what is known of step t + 1, and the static covariates; the head
    gives free numbers, which the kind turns into the distribution of step t + 1. All that must be remembered is in the
    state, a mapping from names to tensors (batch, width). Before the first observation it stays all zeros, so missing
    values in front of a series change nothing.

    Args:
        kind: Of value.
        stack: The recurrence.
        memory: Observations after which the scale of known covariates forgets older ones.
        known: Known covariates.
        calendar: How many of them, the last, are calendar features, which are not scaled.
        static: Static covariates.
        dropout: Share of the recurrence's output dropped in training, the same units at all steps.
        seed: Of the dropout.
    """

    def __init__(
        self,
        kind: Kind,
        stack: Stack,
        memory: int,
        *,
        known: int = 0,
        calendar: int = 0,
        static: int = 0,
        dropout: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind, self.stack = kind, stack
        self.known, self.scaled_known, self.static = known, known - calendar, static
        self.known_scale = RunningScale(self.scaled_known, memory, name="known_scale") if self.scaled_known else None
        self.static_scale = StaticScale(name="static_scale") if static else None
        self.drop = keras.layers.Dropout(dropout, seed=seed) if dropout else None
        self.head = keras.layers.Dense(kind.numbers, kernel_initializer="zeros", name="head")
        self.widths: dict[str, int] = {"age": 1, "expected": 1, **kind.widths, **stack.widths}
        if self.known_scale:
            self.widths.update({f"known_{name}": width for name, width in self.known_scale.widths.items()})

    def build(self, *shapes: Any) -> None:
        """Makes all weights; the width of what the recurrence reads is found by a trial step."""
        self.kind.build()
        if self.known_scale:
            self.known_scale.build()
        if self.static_scale:
            self.static_scale.build((None, self.static))
        trial, static = ops.zeros((1, 1)), ops.zeros((1, self.static)) if self.static else None
        around, _ = self._around(ops.zeros((1, 1, self.known)), static, trial > 0, self.zeros(1))
        inputs, _, _ = self._inputs(trial, trial > 0, around, self.zeros(1))
        self.stack.build((None, None, inputs.shape[-1]))
        self.head.build((None, None, self.stack.units))
        self.built = True

    def zeros(self, batch: Any) -> State:
        """The state before the first observation."""
        return {name: ops.zeros((batch, width)) for name, width in self.widths.items()}

    def advance(
        self,
        values: Any,
        observed: Any,
        known: Any,
        static: Any,
        state: State,
        kept: Any = None,
        training: bool = False,
    ) -> tuple[Said, State]:
        """Reads steps whose values are at hand, and says the distribution of the step behind each.

        Args:
            values: Raw, shape (batch, steps); where not observed, what the network steps on instead.
            observed: Boolean, same shape.
            known: Known covariates of the next steps, raw, (batch, steps, known).
            static: Raw, (batch, static), or None.
            state: Before them.
            kept: What the recurrence's output is multiplied by (dropout), (batch, 1, units), or None.
            training: Whether in training.

        Returns:
            What `Kind.say` says of steps 2 … steps + 1, and the state behind.
        """
        around, after = self._around(known, static, _begun(observed, state), state)
        said, new = self._advance(values, observed, around, state, kept, training)
        return said, {**new, **after}

    def _advance(
        self, values: Any, observed: Any, around: Any, state: State, kept: Any = None, training: bool = False
    ) -> tuple[Said, State]:
        """`advance`, with what stands around the values at hand; the state is what the values alone change."""
        inputs, frame, new = self._inputs(values, observed, around, state)
        output, recurrent = self.stack(inputs, state, training=training)
        said = self.kind.say(self.head(output if kept is None else output * kept), frame)
        return said, {**new, **recurrent, "expected": self.kind.expected(said)[:, -1:]}

    def _inputs(self, values: Any, observed: Any, around: Any, state: State) -> tuple[Any, Said, State]:
        age = state["age"] + ops.cumsum(ops.ones_like(values), axis=1)
        own = {name: state[name] for name in self.kind.widths}
        read, frame, new = self.kind.read(values, observed, age, own)
        return ops.concatenate([read, around], axis=-1), frame, {**new, "age": age[:, -1:]}

    def _around(self, known: Any, static: Any, begun: Any, state: State) -> tuple[Any, State]:
        """What the recurrence reads beside the values, and the scale behind; it is at hand before any step is taken.

        Args:
            known: As `advance`.
            static: As `advance`.
            begun: Whether there has been a value; no scale learns before. Boolean, (batch, steps) or (batch, 1).
            state: Before these steps.

        Returns:
            Shape (batch, steps, features), and the part of the state named `known_…`.
        """
        parts, after = self._known(known, begun[:, :, None], state) if self.known else ([known], {})
        if self.static_scale:
            constant = self.static_scale(static)[:, None]
            batch, steps = ops.shape(known)[:2]
            parts.append(ops.broadcast_to(constant, (batch, steps, constant.shape[-1])))
        return ops.concatenate(parts, axis=-1), after

    def _known(self, known: Any, begun: Any, state: State) -> tuple[list[Any], State]:
        """Known covariates of the next step, by their running scale, 0 where missing, and their mask."""
        there = ops.isfinite(known)
        filled = ops.where(there, known, 0.0)
        mask = ops.cast(there, filled.dtype)
        if self.known_scale is None:
            return [filled, mask], {}
        count = self.scaled_known
        before = {name: state[f"known_{name}"] for name in self.known_scale.widths}
        numbers, counted = filled[:, :, :count], ops.logical_and(there[:, :, :count], begun)
        mean, spread, after = self.known_scale(numbers, counted, before)
        scaled = ops.where(counted, (numbers - mean) / spread, 0.0)
        return [scaled, filled[:, :, count:], mask], {f"known_{name}": part for name, part in after.items()}

    def teach(
        self, values: Any, known: Any, static: Any, state: State, gapless: bool, training: bool = False
    ) -> tuple[Said, State]:
        """Teacher forcing: every step reads what was observed and says what comes next.

        Args:
            values: Raw, shape (batch, steps), NaN where missing.
            known: As in `advance`.
            static: As in `advance`.
            state: Before the first step.
            gapless: Whether values are missing in front and behind at most: then all steps are computed at once; else
                one by one, since what stands in for a missing value is known only then.
            training: Whether in training.

        Returns:
            As `advance`.
        """
        kept = None
        if self.drop is not None:
            rows = ops.zeros_like(state["age"]) + ops.ones((1, self.stack.units))
            kept = self.drop(rows, training=training)[:, None]
        if not gapless:
            return self.walk(values, known, static, state, kept, training)
        values = self.kind.readable(values)
        observed = ops.isfinite(values)
        return self.advance(ops.where(observed, values, 0.0), observed, known, static, state, kept, training)

    def walk(
        self,
        values: Any,
        known: Any,
        static: Any,
        state: State,
        kept: Any = None,
        training: bool = False,
        every: bool = True,
    ) -> tuple[Said, State]:
        """The same one step after the other; on its own expectation where a value is missing.

        Args:
            values: As `teach`; and so on up to `training`.
            known: See above.
            static: See above.
            state: See above.
            kept: As `advance`.
            training: See above.
            every: Whether to return what is said at every step, or at the last only, as a sequence of one.
        """
        values = self.kind.readable(values)
        around, after = self._around(known, static, _begun(ops.isfinite(values), state), state)
        names = [name for name in self.widths if name not in after]

        def step(inputs: Any, states: list[Any]) -> tuple[Said, list[Any]]:
            before = dict(zip(names, states, strict=True))
            value = inputs[:, :1]
            observed = ops.isfinite(value)
            here = ops.where(observed, value, before["expected"])
            said, new = self._advance(here, observed, inputs[:, None, 1:], before, kept, training)
            begun = ops.logical_or(observed, before["age"] > 0)
            return {name: part[:, 0] for name, part in said.items()}, [
                ops.where(begun, new[name], before[name]) for name in names
            ]

        inputs = ops.concatenate([values[:, :, None], around], axis=-1)
        last, outputs, states = rnn(
            step, inputs, [state[name] for name in names], input_length=inputs.shape[1], return_all_outputs=every
        )
        said = outputs if every else {name: part[:, None] for name, part in last.items()}
        return said, {**dict(zip(names, states, strict=True)), **after}

    def unroll(self, said: Said, state: State, known: Any, static: Any, seed: Any, horizon: int, paths: int) -> Any:
        """Samples what may come: each path goes on from values drawn from what the network said.

        Args:
            said: Of the first step to forecast, a sequence of one.
            state: With which it was said.
            known: Known covariates of the horizon, raw, (batch, horizon, known).
            static: Raw, (batch, static), or None.
            seed: int32, (batch,); draws are a function of it, the path and the step.
            horizon: Steps to forecast.
            paths: Samples.

        Returns:
            Raw values, (batch, paths, horizon).
        """
        chance = ops.reshape(uniforms(seed, horizon, paths), (-1, horizon))
        around, after = self._around(known[:, 1:], static, state["age"] > 0, state)
        many = {name: ops.repeat(part, paths, axis=0) for name, part in {**state, **said}.items() if name not in after}
        around, names = ops.repeat(around, paths, axis=0), list(many)

        def step(inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            before = dict(zip(names, states, strict=True))
            value = self.kind.draw({name: before[name] for name in said}, inputs[:, :1])
            new, moved = self._advance(value, ops.zeros_like(value) > 0, inputs[:, None, 1:], before)
            return value, [{**moved, **new}[name] for name in names]

        drawn = []
        last = {name: many[name] for name in said}
        if horizon > 1:
            inputs = ops.concatenate([chance[:, :-1, None], around], axis=-1)
            _, values, states = rnn(step, inputs, [many[name] for name in names], input_length=horizon - 1)
            drawn.append(values[:, :, 0])
            last = {name: part for name, part in zip(names, states, strict=True) if name in said}
        drawn.append(self.kind.draw(last, chance[:, -1:]))
        return ops.reshape(ops.concatenate(drawn, axis=1), (-1, paths, horizon))


def _begun(observed: Any, state: State) -> Any:
    """Whether there has been an observation up to each step, boolean, (batch, steps)."""
    so_far = ops.cumsum(ops.cast(observed, "int32"), axis=1)
    return ops.logical_or(so_far > 0, state["age"] > 0)
