"""How a network that goes step by step learns: teacher forcing over whole sequences, or with its state carried on."""

from __future__ import annotations

from typing import Any

from keras import ops

from forecaster.networks.kind import Said, State
from forecaster.networks.replicas import Learner
from forecaster.networks.stepper import Stepper

__all__ = ["Teaching"]


class Teaching(Learner):
    """The face of a network that learns.

    Whole backpropagation through time goes through every step of a sequence. With `lanes` it is truncated: a sequence
    goes on from the state in which the one before ended, in the same place of the batch, but no gradient goes back
    over that border. The state is kept in variables of this model, so a checkpoint holds it.

    Args:
        stepper: The network.
        gapless: As `Stepper.teach`.
        lanes: Sequences a batch if the state is carried from one batch to the next, else None.

    Call arguments:
        inputs: `values` (batch, steps + 1, 1 + known), raw: every step but the last is read, every step but the first
            is said; `static` (batch, static), if there are any; `begins` (batch,), 1 where a sequence does not go on
            from the batch before.
    """

    def __init__(self, stepper: Stepper, gapless: bool, lanes: int | None) -> None:
        super().__init__(name="train")
        self.stepper, self.gapless = stepper, gapless
        self.carried: dict[str, Any] = {}
        if lanes:
            self.carried = {
                name: self.add_weight(shape=(lanes, width), initializer="zeros", trainable=False, name="carried")
                for name, width in stepper.widths.items()
            }
        self.built = True

    def build(self, *shapes: Any) -> None:
        """The weights are there from the beginning."""

    def call(self, inputs: dict[str, Any], training: bool = False) -> Said:
        """See the class; returns what is said of each step. Only training moves the carried state."""
        values = inputs["values"]
        state = self._state(inputs["begins"]) if training and self.carried else self._zeros(values)
        said, state = self.stepper.teach(
            values[:, :-1, 0], values[:, 1:, 1:], inputs.get("static"), state, self.gapless, training
        )
        if training:
            for name, variable in self.carried.items():
                variable.assign(state[name])
        return said

    def _zeros(self, values: Any) -> State:
        return self.stepper.zeros(ops.shape(values)[0])

    def _state(self, begins: Any) -> State:
        goes_on = 1.0 - begins[:, None]
        return {name: variable * goes_on for name, variable in self.carried.items()}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """What the kind of value says."""
        return self.stepper.kind.loss(y_pred, y)
