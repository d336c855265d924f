"""A built network: one set of weights that forecasts, learns, is prepared, calibrated and exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from forecaster.networks.answering import Answers, answers
from forecaster.networks.exporting import export_model
from forecaster.networks.frame import encode_target
from forecaster.networks.heads import Quantiles, best_stretch, free_numbers, pinball
from forecaster.networks.negative_binomial import NegativeBinomial
from forecaster.networks.replicas import Learner
from forecaster.networks.shape import Shape
from forecaster.networks.student_t import StudentT
from forecaster.networks.unrolled import Teacher

__all__ = ["Head", "Learning", "Network"]

Head = Quantiles | StudentT | NegativeBinomial
"""What turns free numbers into quantiles."""


@dataclass(frozen=True)
class Network:
    """One set of weights with several faces.

    Attributes:
        forecast: Inputs `past` (batch, lookback, 1 + past + known), `known` (batch, horizon, known) and
            `static` (batch, static), those it has; output `quantiles` (batch, horizon, quantiles). All in raw units.
        scaled: The same inputs; the quantiles in the units of each window's frame, and the frame (batch, 2);
            before any caution (`forecaster.networks.widening`), so that it can be calibrated.
        train: The same inputs, learning in the units of each window's frame; target (batch, horizon), raw.
        base: The same inputs; the naive base (batch, horizon) and the frame (batch, 2).
        shape: What it was built for.
        bias: The weights that are added to the free numbers of every step; horizon × `shape.numbers` of them.
        teacher: Of a network that reads its own outputs; `train` has the further input `taught` then.
    """

    forecast: keras.Model
    scaled: keras.Model
    train: keras.Model
    base: keras.Model
    shape: Shape
    bias: keras.Variable
    teacher: Teacher | None = None

    @cached_property
    def _said(self) -> Answers:
        """What `forecast` and `scaled` say of arrays, by one graph: it is needed for the looks at the validation part,
        for calibration and for forecasts, and takes longer to build than to run.
        """
        both = {"raw": self.forecast.output["quantiles"], **self.scaled.output}
        return answers(keras.Model(self.forecast.input, both), self.forecast.input)

    def answer(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What `forecast` says of arrays."""
        return {"quantiles": self._said(inputs)["raw"]}

    def loss(self, inputs: Mapping[str, np.ndarray], target: np.ndarray) -> float:
        """The loss of `train` on windows that it does not learn from, forecast as they are in earnest.

        Args:
            inputs: The windows.
            target: Shape (batch, horizon), raw.
        """
        return float(self.train.compute_loss(None, ops.convert_to_tensor(target, "float32"), self._said(inputs)))

    @property
    def stretch(self) -> keras.Variable:
        """The factors that `calibrate` sets."""
        return self.forecast.get_layer("scaled_quantiles").stretch

    def lesson(
        self, inputs: dict[str, np.ndarray], target: np.ndarray, step: int | None = None
    ) -> dict[str, np.ndarray]:
        """The inputs of `train`: at a step of the fit, or as in forecasting, where no true value is read."""
        return inputs if self.teacher is None else {**inputs, "taught": self.teacher.taught(target, step)}

    def prepare(self, inputs: dict[str, np.ndarray], target: np.ndarray, static: np.ndarray) -> None:
        """Sets what comes from the training part before training starts.

        The head gets a bias by which the untrained network says the naive base with its own error quantiles; static
        covariates and the levels of known ones get their mean and spread.

        Args:
            inputs: A sample of training windows.
            target: Their targets, shape (batch, horizon).
            static: The static covariates of all training series, shape (series, static).
        """
        if static.shape[1]:
            self.forecast.get_layer("static_scale").learn(static)
        numbers = self.shape.known - self.shape.calendar
        if numbers:
            self.forecast.get_layer("known_level").learn(inputs["known"][:, :, :numbers])
        base, frame = (ops.convert_to_numpy(part) for part in self.base(inputs))
        scaled = encode_target(ops.convert_to_tensor(target), ops.convert_to_tensor(frame), self.shape.transform)
        errors, head = ops.convert_to_numpy(scaled) - base, self.forecast.get_layer("scaled_quantiles")
        bias = free_numbers(errors, self.shape.quantiles) if isinstance(head, Quantiles) else head.first(errors)
        self.bias.assign(bias.reshape(self.bias.shape))

    def calibrate(self, inputs: dict[str, np.ndarray], target: np.ndarray) -> np.ndarray:
        """Stretches the distances between quantiles by the factor that suits windows held out of training best.

        A network is surer of what it was trained on than of what comes; one factor for all quantiles, chosen by the
        pinball loss, mends that and keeps the median. A network that reads its own outputs has one for each step,
        since its errors grow with the steps: the best for that step and its neighbours, an eighth of the horizon on
        both sides.

        Args:
            inputs: The windows held out.
            target: Their targets, shape (batch, horizon), raw.

        Returns:
            The factors, shape (1 or horizon,).
        """
        said = self._said(inputs)
        frame = ops.convert_to_tensor(said["frame"])
        scaled = encode_target(ops.convert_to_tensor(target), frame, self.shape.transform)
        scaled = ops.convert_to_numpy(scaled)
        steps, near = self.stretch.shape[0], self.shape.horizon // 8
        around = [slice(max(step - near, 0), step + near + 1) if steps > 1 else slice(None) for step in range(steps)]
        quantiles, levels = said["quantiles"], self.shape.quantiles
        factors = np.array([best_stretch(scaled[:, some], quantiles[:, some], levels) for some in around])
        self.stretch.assign(self.stretch * factors[:, None])
        return factors

    def export(self, folder: Path) -> None:
        """Writes a SavedModel that TensorFlow alone can load: raw inputs by name to raw quantiles, any batch size."""
        export_model(folder, self.forecast)


class Learning(Learner, keras.Model):
    """Quantiles and target meet in the units of the window's frame, so every window weighs the same."""

    shape_: Shape
    head_: Head

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Mean pinball loss over the quantiles, or what the head has instead."""
        target = encode_target(y, y_pred["frame"], self.shape_.transform)
        if isinstance(self.head_, StudentT):
            return self.head_.loss(target, y_pred["free"], y_pred["base"])
        if isinstance(self.head_, NegativeBinomial):
            return self.head_.loss(target, y_pred["free"], y_pred["base"], y_pred["frame"])
        worth = y_pred["frame"][:, 1:2] if self.shape_.relative else 1.0
        return pinball(target, y_pred["quantiles"], self.shape_.quantiles, worth)
