"""What a network that goes step by step must know about its values: the seam between the loop and what it loops over.

`Stepper` owns time: the state, the loop, feeding back, sampling paths. A `Kind` owns one value: how it is read into the
recurrence, what the head's free numbers mean, how a draw is made, and how a forecast is held against what came. Numbers
have one kind, `forecaster.networks.numbers`; symbols, say, would be another one with an embedding and a softmax.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

__all__ = ["Kind", "Said", "State"]

State = dict[str, Any]
"""Tensors of shape (batch, width) by name; all zeros before the first observation."""
Said = dict[str, Any]
"""A distribution for every step, as tensors of shape (batch, steps, numbers) by name."""


class Kind(Protocol):
    """One kind of value; a Keras layer, so that its weights and its configuration travel with the network.

    Attributes:
        widths: Name and width of each tensor of its own part of the state.
        numbers: Free numbers that the head gives it for a step.
        outputs: What a forecast answers, by name: numbers a step.
    """

    widths: Mapping[str, int]
    numbers: int
    outputs: Mapping[str, int]

    def build(self) -> None:
        """Makes its constants."""

    def readable(self, values: Any) -> Any:
        """Values with NaN for what it cannot read, so that this counts as missing; raw, (batch, steps)."""

    def read(self, values: Any, observed: Any, age: Any, state: State) -> tuple[Any, Said, State]:
        """Takes in values and says what the next steps' free numbers will be relative to.

        Args:
            values: Raw, shape (batch, steps); where not observed, what the network stepped on instead.
            observed: Boolean, same shape.
            age: Steps since the first observation, that one included, shape (batch, steps).
            state: Its part of the state.

        Returns:
            What the recurrence reads, (batch, steps, features); a frame for `say`; its new state.
        """

    def say(self, free: Any, frame: Said) -> Said:
        """The distribution of the value of the next step, from free numbers (batch, steps, numbers)."""

    def expected(self, said: Said) -> Any:
        """The one value to step on where none was observed; from (batch, steps, …) to raw (batch, steps)."""

    def draw(self, said: Said, uniform: Any) -> Any:
        """A value of the next step, raw (batch, steps), from uniform numbers of the same shape."""

    def answer(self, said: Said) -> dict[str, Any]:
        """`outputs` of the distribution itself, each (batch, steps, numbers)."""

    def answer_paths(self, paths: Any) -> dict[str, Any]:
        """`outputs` of sampled paths, raw (batch, paths, steps)."""

    def loss(self, said: Said, target: Any) -> Any:
        """One number for what was said of steps whose values are `target`, raw (batch, steps), NaN where missing."""

    def prepare(self, values: np.ndarray) -> None:
        """Sets constants from training sequences, raw (sequences, steps), before training."""

    def first_bias(self, said: Said, target: np.ndarray) -> np.ndarray:
        """The head's bias by which an untrained network is right on average, shape (numbers,)."""

    def calibrate(self, said: Said, target: np.ndarray) -> float:
        """Widens or narrows what is said as steps held out of training suggest; returns the factor."""
