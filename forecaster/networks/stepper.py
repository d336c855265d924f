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
            self.widths.update({f"known/{name}": width for name, width in self.known_scale.widths.items()})

    def build(self, *shapes: Any) -> None:
        """Makes all weights; the width of what the recurrence reads is found by a trial step."""
        self.kind.build()
        if self.known_scale:
            self.known_scale.build()
        if self.static_scale:
            self.static_scale.build((None, self.static))
        trial = ops.zeros((1, 1))
        static = ops.zeros((1, self.static)) if self.static else None
        inputs, _, _ = self._inputs(trial, trial > 0, trial[:, :, None] + ops.zeros(self.known), static, self.zeros(1))
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
        inputs, frame, new = self._inputs(values, observed, known, static, state)
        output, recurrent = self.stack(inputs, state, training=training)
        said = self.kind.say(self.head(output if kept is None else output * kept), frame)
        return said, {**new, **recurrent, "expected": self.kind.expected(said)[:, -1:]}

    def _inputs(self, values: Any, observed: Any, known: Any, static: Any, state: State) -> tuple[Any, Said, State]:
        age = state["age"] + ops.cumsum(ops.ones_like(values), axis=1)
        own = {name: state[name] for name in self.kind.widths}
        read, frame, new = self.kind.read(values, observed, age, own)
        parts, new = [read], {**new, "age": age[:, -1:]}
        if self.known:
            scaled, known_state = self._known(known, state)
            parts.append(scaled)
            new.update(known_state)
        if self.static_scale:
            constant = self.static_scale(static)[:, None]
            parts.append(constant + ops.zeros_like(read[:, :, :1]))
        return ops.concatenate(parts, axis=-1), frame, new

    def _known(self, known: Any, state: State) -> tuple[Any, State]:
        """Known covariates of the next step, by their running scale, 0 where missing, and their mask."""
        observed = ops.isfinite(known)
        filled = ops.where(observed, known, 0.0)
        mask = ops.cast(observed, filled.dtype)
        if self.known_scale is None:
            return ops.concatenate([filled, mask], axis=-1), {}
        count = self.scaled_known
        before = {name: state[f"known/{name}"] for name in self.known_scale.widths}
        numbers = filled[:, :, :count]
        mean, spread, after = self.known_scale(numbers, observed[:, :, :count], before)
        scaled = mask[:, :, :count] * (numbers - mean) / spread
        parts = [scaled, filled[:, :, count:], mask]
        return ops.concatenate(parts, axis=-1), {f"known/{name}": part for name, part in after.items()}

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

        def step(inputs: Any, states: list[Any]) -> tuple[Said, list[Any]]:
            before = dict(zip(self.widths, states, strict=True))
            value, coming = inputs[:, :1], inputs[:, None, 1:]
            observed = ops.isfinite(value)
            here = ops.where(observed, value, before["expected"])
            said, after = self.advance(here, observed, coming, static, before, kept, training)
            begun = ops.logical_or(observed, before["age"] > 0)
            after = {name: ops.where(begun, after[name], before[name]) for name in self.widths}
            return {name: part[:, 0] for name, part in said.items()}, list(after.values())

        inputs = ops.concatenate([values[:, :, None], known], axis=-1)
        last, outputs, states = rnn(
            step,
            inputs,
            [state[name] for name in self.widths],
            input_length=inputs.shape[1],
            return_all_outputs=every,
        )
        said = outputs if every else {name: part[:, None] for name, part in last.items()}
        return said, dict(zip(self.widths, states, strict=True))

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
        many = {name: ops.repeat(part, paths, axis=0) for name, part in {**state, **said}.items()}
        coming = ops.repeat(known, paths, axis=0)
        constant = None if static is None else ops.repeat(static, paths, axis=0)
        names = [*self.widths, *said]

        def step(inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            before = dict(zip(names, states, strict=True))
            value = self.kind.draw({name: before[name] for name in said}, inputs[:, :1])
            new, after = self.advance(value, ops.zeros_like(value) > 0, inputs[:, None, 1:], constant, before)
            return value, [{**after, **new}[name] for name in names]

        drawn = []
        last = {name: many[name] for name in said}
        if horizon > 1:
            inputs = ops.concatenate([chance[:, :-1, None], coming[:, 1:]], axis=-1)
            _, values, states = rnn(step, inputs, [many[name] for name in names], input_length=horizon - 1)
            drawn.append(values[:, :, 0])
            last = {name: part for name, part in zip(names, states, strict=True) if name in said}
        drawn.append(self.kind.draw(last, chance[:, -1:]))
        return ops.reshape(ops.concatenate(drawn, axis=1), (-1, paths, horizon))
