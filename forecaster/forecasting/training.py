"""One fit: steps, looks at the validation part, the best weights, and checkpoints to go on from.

Everything that a step does is a function of the weights, the optimiser's state and the number of the step, and all
of these are in the checkpoint: a resumed fit is bit for bit the fit that was not interrupted.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from forecaster.config import ModelDefinition
from forecaster.errors import Interrupted, TrainingError
from forecaster.forecasting.lessons import Examples, Lessons

__all__ = ["Control", "Progress", "Trainable", "train"]

logger = logging.getLogger(__name__)


class Trainable(Protocol):
    """A network that can be trained.

    Attributes:
        train: A compiled `keras.Model`. Whatever must be carried from one step to the next is among its variables, so
            that a checkpoint holds it.
    """

    @property
    def train(self) -> Any:
        """See above."""

    def lesson(
        self, inputs: dict[str, np.ndarray], target: np.ndarray, step: int | None = None
    ) -> dict[str, np.ndarray]:
        """The inputs of `train` at a step of the fit, or as in forecasting."""

    def loss(self, inputs: dict[str, np.ndarray], target: np.ndarray) -> float:
        """The loss of what it is not trained on."""


@dataclass(frozen=True)
class Progress:
    """Where a fit stands.

    Attributes:
        model: Name of the network.
        step: Steps done.
        steps: Steps at most.
        loss: Last mean training loss; NaN before the first look.
        validation: Last validation loss; NaN before the first look.
        best: Smallest validation loss.
        done: Whether the fit has ended.
        finishing: Whether these are steps of its finish: see `forecaster.forecasting.finishing`.
        member: Which network of an ensemble it is.
        members: How many networks the ensemble has.
        sample: What a network of a text makes up after each time that it has read it.
        around: How often it has been read then.
    """

    model: str
    step: int
    steps: int
    loss: float = math.nan
    validation: float = math.nan
    best: float = math.nan
    done: bool = False
    finishing: bool = False
    member: int = 1
    members: int = 1
    sample: str = ""
    around: float = 0.0


@dataclass(frozen=True)
class Control:
    """How a fit is watched, stopped and taken up again.

    Args:
        report: Is told the progress at every look at the validation part and some steps between.
        stop: Says whether to stop now, after having saved a checkpoint.
        checkpoint: File to save to; None saves nothing.
        resume: Whether to go on from that file, if there is one that belongs to this very fit.
        key: What identifies the fit: definition, data, seed, code. A checkpoint with another key is not used.
        every: Seconds between checkpoints, at least.
    """

    report: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    checkpoint: Path | None = None
    resume: bool = False
    key: str = ""
    every: float = 20.0

    def of_member(self, member: int, members: int) -> Control:
        """The same for one network of an ensemble, from 1: with a checkpoint of its own, and told as such.

        Example:
            >>> Control(checkpoint=Path("gru.npz")).of_member(2, 3).checkpoint.name
            'gru+2.npz'
        """
        if members == 1:
            return self
        file = self.checkpoint and self.checkpoint.with_name(f"{self.checkpoint.stem}+{member}.npz")

        def report(progress: Progress) -> None:
            self.report(replace(progress, member=member, members=members))

        return replace(self, report=report, checkpoint=file)


@dataclass
class _State:
    """All that a fit would need to go on."""

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    losses: list[float] = field(default_factory=list)
    smooth: float = math.nan
    curve: list[tuple[int, float, float, int, float]] = field(default_factory=list)
    best_weights: list[np.ndarray] = field(default_factory=list)
    done: bool = False
    unsaved: bool = False


def train(network: Trainable, lessons: Lessons, definition: ModelDefinition, control: Control) -> pd.DataFrame:
    """Trains a network and leaves it with the weights that were best on the validation part.

    Args:
        network: Compiled, at its initial weights.
        lessons: A batch for every step, and what to stop by.
        definition: Steps, patience.
        control: Watching, stopping, resuming.

    Returns:
        The curve: step, training (mean loss since the last look, or the smoothed loss), validation, and since the last
        look clipped (steps whose gradient was clipped) and gradient (its largest norm).

    Raises:
        TrainingError: The loss is not finite; says at which step and what to try.
        Interrupted: `control.stop` said so; a checkpoint has been saved if there is a file for it that can be written.
    """
    network.train.optimizer.build(network.train.trainable_variables)
    state = _restored(network, control) or _State()
    saved = time.monotonic()
    while not state.done:
        if _is_due(state, definition):
            _look(network, lessons.held_out, state, definition)
        if state.done:
            break
        if control.stop():
            _save(network, state, control)
            lost = ", which could not be kept" if state.unsaved else ""
            raise Interrupted(f"stopped at step {state.step} of {definition.steps} of {definition.name}{lost}")
        batch = lessons.batch(state.step)
        shown = network.lesson(batch.inputs, batch.target, state.step)
        state.losses.append(float(network.train.train_on_batch(shown, batch.target)))
        state.step += 1
        state.smooth = _smoothed(state.smooth, state.losses[-1], definition.smoothing)
        if not math.isfinite(state.losses[-1]):
            raise TrainingError(_not_finite(definition, state.step))
        if time.monotonic() - saved > control.every:
            _save(network, state, control)
            saved = time.monotonic()
        if state.step % 10 == 0:
            control.report(Progress(str(definition.name), state.step, definition.steps, *_last(state)))
    _save(network, state, control)
    _set(network, state.best_weights)
    said = (definition.name, state.step, state.best_step, state.best)
    logger.info("%s: stopped after %d steps, best at step %d with validation loss %.5g", *said)
    control.report(Progress(str(definition.name), state.step, definition.steps, *_last(state), done=True))
    return pd.DataFrame(state.curve, columns=["step", "training", "validation", "clipped", "gradient"])


def _is_due(state: _State, definition: ModelDefinition) -> bool:
    """Whether to look at the validation part now: every so many steps and at the last, once."""
    looked = bool(state.curve) and state.curve[-1][0] == state.step
    return not looked and (state.step % definition.evaluate_every == 0 or state.step == definition.steps)


def _look(network: Trainable, validation: Examples, state: _State, definition: ModelDefinition) -> None:
    """Measures the validation loss, keeps the best weights, and decides whether the fit is over.

    What is measured and kept is the running mean of the weights (Polyak and Juditsky 1992), which is less at the mercy
    of the last few batches; training goes on from the weights themselves.
    """
    now = _values(network.train.variables)
    if definition.averaging and state.step:
        network.train.optimizer.finalize_variable_values(network.train.trainable_variables)
    loss = network.loss(validation.inputs, validation.target)
    if not math.isfinite(loss):
        raise TrainingError(_not_finite(definition, state.step))
    clipped, steepest = network.train.optimizer.reset_watch()
    mean = float(np.mean(state.losses)) if state.losses else math.nan
    mean = state.smooth if definition.smoothing else mean
    state.curve.append((state.step, mean, loss, int(clipped), steepest))
    said = "%s: step %d, training loss %.5g, validation loss %.5g, clipped in %d steps, largest gradient norm %.3g"
    logger.debug(said, definition.name, *state.curve[-1])
    state.losses = []
    if loss < state.best:
        state.best, state.best_step = loss, state.step
        state.best_weights = _values(network.train.variables)
    _set(network, now)
    state.done = state.step >= definition.steps or state.step - state.best_step >= _wait(state.best_step, definition)


def _wait(best_step: int, definition: ModelDefinition) -> int:
    """Steps without a better validation loss until the fit ends: as many as led to the best one, but at least half of
    the patience and at most all of it. A patience of all steps ends no fit.
    """
    if definition.patience >= definition.steps:
        return definition.patience
    return min(definition.patience, max(best_step, (definition.patience + 1) // 2))


def _smoothed(before: float, loss: float, share: float) -> float:
    """The running mean of the training loss, begun with the first."""
    return loss if math.isnan(before) else share * before + (1 - share) * loss


def _last(state: _State) -> tuple[float, float, float]:
    return state.curve[-1][1], state.curve[-1][2], state.best


def _not_finite(definition: ModelDefinition, step: int) -> str:
    return (
        f"{definition.name}: the loss is not finite at step {step}: the weights have exploded; lower learning_rate "
        f"(now {definition.learning_rate:g}) or clipnorm (now {definition.clipnorm}), or set warmup higher"
    )


def _values(variables: Iterable[Any]) -> list[np.ndarray]:
    return [np.array(variable.numpy()) for variable in variables]


def _set(network: Trainable, values: list[np.ndarray]) -> None:
    for variable, value in zip(network.train.variables, values, strict=True):
        variable.assign(value)


def _save(network: Trainable, state: _State, control: Control) -> None:
    """Writes a checkpoint, if there is a file for it; a fit goes on where that cannot be done, and says so once."""
    if control.checkpoint is None:
        return
    try:
        _write(network, state, control.checkpoint, control.key)
        state.unsaved = False
    except OSError as error:
        if not state.unsaved:
            why = f"{control.checkpoint}: the fit cannot be kept there ({error.strerror}) and goes on"
            logger.warning("%s; if it is interrupted, what came since the last time is lost", why)
        state.unsaved = True


def _write(network: Trainable, state: _State, file: Path, key: str) -> None:
    """Writes the checkpoint beside its place and renames it: there is the old one or the new one, whole."""
    kinds = {
        "weight": _values(network.train.variables),
        "best": state.best_weights,
        "optimizer": _values(network.train.optimizer.variables),
    }
    arrays = {f"{kind}{place}": value for kind, values in kinds.items() for place, value in enumerate(values)}
    numbers = {
        "key": key, "step": state.step, "best": state.best, "best_step": state.best_step,
        "losses": state.losses, "smooth": state.smooth, "curve": state.curve, "done": state.done,
    }  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".tmp.npz")
    arrays["state"] = np.frombuffer(json.dumps(numbers).encode(), np.uint8)
    try:
        with beside.open("wb") as written:
            np.savez(written, allow_pickle=False, **arrays)
            written.flush()
            os.fsync(written.fileno())  # else a power failure may leave the new name with nothing behind it
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _restored(network: Trainable, control: Control) -> _State | None:
    """The state in the checkpoint, if it belongs to this fit; weights and optimiser are set to it.

    One that does not, or cannot be read, as after a power failure, is none: the fit begins anew, and says so.
    """
    if not (control.resume and control.checkpoint and control.checkpoint.is_file()):
        return None
    try:
        return _read(network, control.checkpoint, control.key)
    except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        logger.warning("%s: no checkpoint to go on from (%s); the fit begins anew", control.checkpoint, error)
        return None


def _read(network: Trainable, file: Path, key: str) -> _State:
    """Reads a checkpoint; nothing is set unless all of it fits.

    Raises:
        ValueError: It is of another fit.
    """
    with np.load(file, allow_pickle=False) as content:
        arrays = dict(content)
    numbers = json.loads(arrays["state"].tobytes())
    if numbers.pop("key") != key:
        raise ValueError("it is of other data, another definition, other code or another release")
    variables = {"weight": network.train.variables, "optimizer": network.train.optimizer.variables}
    kept = {kind: _fitting(arrays, kind, wanted) for kind, wanted in variables.items()}
    best = _fitting(arrays, "best", network.train.variables if "best0" in arrays else [])
    for kind, values in kept.items():
        for variable, value in zip(variables[kind], values, strict=True):
            variable.assign(value)
    return _State(**{**numbers, "curve": [tuple(row) for row in numbers["curve"]], "best_weights": best})


def _fitting(arrays: dict[str, np.ndarray], kind: str, variables: Sequence[Any]) -> list[np.ndarray]:
    """The arrays of one kind, if they are what the variables hold."""
    shapes = {f"{kind}{place}": tuple(variable.shape) for place, variable in enumerate(variables)}
    if shapes != {name: array.shape for name, array in arrays.items() if name.startswith(kind)}:
        raise ValueError("it is of a network with other weights")
    return [arrays[name] for name in shapes]
