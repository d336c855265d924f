"""One trial of a search: a network is fitted on the training part and judged on the validation part.

It is a function of pipeline, data, model and the losses of trials before it, so it does not matter where it is done.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from forecaster.config import ModelDefinition, PipelineDefinition
from forecaster.config.reading import parse
from forecaster.errors import Interrupted, TrainingError
from forecaster.forecasting.training import Control, Progress
from forecaster.lifecycle.trial import State
from forecaster.pipeline.candidates import network_of
from forecaster.pipeline.contest import validation_score
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.orders import open_order
from forecaster.pipeline.preparation import Prepared

__all__ = ["FUNCTION", "Losses", "TrialEnd", "fit_and_judge", "fit_trial", "is_behind", "read_end"]

FUNCTION = f"{__name__}:fit_trial"
"""What a worker is told to do."""
FEWEST_TRIALS = 5
"""Trials that come to their end before any is given up."""
FEWEST_STEPS = 100
"""Steps of each before it can be given up."""

Losses = Mapping[int, float]
"""The smallest validation loss so far, by steps."""


@dataclass(frozen=True)
class TrialEnd:
    """What came of a trial.

    Attributes:
        state: See `Trial`; never `running`.
        losses: How it went.
        steps: That it was fitted.
        score: On the validation part; None unless it is complete.
        error: Of one that failed.
    """

    state: State
    losses: Losses = field(default_factory=dict)
    steps: int = 0
    score: float | None = None
    error: str = ""


def fit_and_judge(
    definition: PipelineDefinition,
    prepared: Prepared,
    model: ModelDefinition,
    label: str,
    *,
    others: Sequence[Losses],
    until: float,
    listener: Listener,
) -> TrialEnd:
    """Fits a network and judges it, unless it falls behind or the time ends before.

    Args:
        definition: The pipeline.
        prepared: Its data, cut.
        model: The network.
        label: What the trial is called.
        others: Of the trials that came to their end before, of the same kind: see `ModelDefinition.kind_of_loss`.
        until: When the time ends, by `time.monotonic`.
        listener: Who is told.

    Raises:
        Interrupted: The listener said so.
    """
    watch = _Watch(label, others, until, listener)
    network = network_of(definition, prepared, model, Control(watch.report, watch.stop))
    try:
        network.fit(prepared.fitting)
        score = validation_score(network, definition, prepared)
    except Interrupted:
        if watch.asked:
            raise Interrupted(f"stopped in {label}") from None
        return TrialEnd("pruned" if watch.behind else "cut off", watch.losses, watch.steps)
    except TrainingError as error:
        return TrialEnd("failed", watch.losses, watch.steps, error=str(error))
    steps = int(network.curve["step"].iloc[-1])
    if not math.isfinite(score):
        return TrialEnd("failed", watch.losses, steps, error=f"its score on the validation part is {score}")
    return TrialEnd("complete", watch.losses, steps, score)


def is_behind(loss: float, step: int, others: Sequence[Losses]) -> bool:
    """Whether a loss is worse than the median of other trials at the same step.

    Example:
        >>> [is_behind(loss, 100, [{100: 0.1}, {100: 0.2}, {100: 0.3}, {100: 0.4}, {90: 0.5}]) for loss in (0.2, 0.3)]
        [False, True]
    """
    if len(others) < FEWEST_TRIALS or step < FEWEST_STEPS:
        return False
    there = [losses[step] for losses in others if step in losses]
    return bool(there) and loss > statistics.median(there)


def fit_trial(order: bytes) -> bytes:
    """What a worker does: reads the data, makes one trial, and gives back what came of it.

    Args:
        order: From `TrialWork`.

    Raises:
        DataError: The data are not those of the search.
    """
    from forecaster.forecasting.backend import load_quietly

    began = time.monotonic()
    told, definition, prepared = open_order(order)
    load_quietly()
    model = parse(told["model"], ModelDefinition, told["label"])
    others = [_losses(one) for one in told["others"]]
    end = fit_and_judge(
        definition, prepared, model, told["label"], others=others, until=began + told["seconds"], listener=Listener()
    )  # fmt: skip
    return json.dumps(vars(end)).encode()


def read_end(parcel: bytes) -> TrialEnd:
    """What `fit_trial` gave back."""
    told = json.loads(parcel)
    return TrialEnd(**told | {"losses": _losses(told["losses"])})


def _losses(told: Mapping[str, float]) -> Losses:
    """Losses as JSON has them: its keys are strings."""
    return {int(step): loss for step, loss in told.items()}


class _Watch:
    """Passes on how a fit goes, and ends it: where it falls behind, the time is over, or somebody asks."""

    def __init__(self, label: str, others: Sequence[Losses], until: float, listener: Listener) -> None:
        self.label, self.others, self.until, self.listener = label, others, until, listener
        self.losses: dict[int, float] = {}
        self.asked, self.behind = False, False

    @property
    def steps(self) -> int:
        """Steps up to the last look at the validation part."""
        return max(self.losses, default=0)

    def report(self, progress: Progress) -> None:
        """See `Control`."""
        self.listener.progress(replace(progress, model=self.label))
        if progress.best < math.inf and progress.step not in self.losses and not progress.done:
            self.losses[progress.step] = progress.best
            self.behind = is_behind(progress.best, progress.step, self.others)

    def stop(self) -> bool:
        """See `Control`."""
        self.asked = self.asked or self.listener.stop()
        return self.asked or self.behind or time.monotonic() >= self.until
