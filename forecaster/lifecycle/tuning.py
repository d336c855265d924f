"""Tuning: a search for the model file that forecasts the validation part best. The test part stays closed."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.config import ModelDefinition, PipelineDefinition, Project
from forecaster.config.reading import parse
from forecaster.config.search import Space, combinations, drawn, holding
from forecaster.errors import DefinitionError, ForecasterError, Interrupted
from forecaster.forecasting.training import Progress
from forecaster.lifecycle.sole import sole
from forecaster.lifecycle.studies import LOST, begun, losses_of, opened, refuse, settle, suggested, trials_of, tried
from forecaster.lifecycle.trial import Trial
from forecaster.lifecycle.trial_fit import Losses, TrialEnd, fit_and_judge
from forecaster.lifecycle.trial_work import TrialWork
from forecaster.pipeline.checkpoints import ASIDE
from forecaster.pipeline.groups import refuse_groups
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.preparation import Prepared, prepare
from forecaster.series import data_hash

if TYPE_CHECKING:
    import optuna

__all__ = ["Trial", "Tuning", "tune"]

JUDGED_BEFORE: Mapping[str, Any] = {"finish": 0.0, "ensemble": 1, "conformal": False, "support": "real"}
"""Keys of what comes behind the part of a fit that is judged: a trial leaves it out, the model file keeps it. Rounded
medians of different trials would too often be the same.
"""
MOST_REFUSED = 50
"""Suggestions in a row that no model file can say, after which the space is taken to be wrong."""


@dataclass(frozen=True)
class Tuning:
    """The end of a search.

    Attributes:
        pipeline: Its name.
        metric: Of the scores.
        best: The model file that was best on the validation part, as it would be fitted in a run.
        score: Its score.
        before: The best score among the models as they were.
        trials: All, those of earlier calls that this one went on from included.
        stopped: Why it ended.
    """

    pipeline: str
    metric: str
    best: ModelDefinition
    score: float
    before: float | None
    trials: Sequence[Trial]
    stopped: str


def tune(
    definition: PipelineDefinition,
    project: Project,
    space: Space,
    *,
    base: Path,
    minutes: float = 10.0,
    trials: int | None = None,
    offline: bool = False,
    listener: Listener | None = None,
    work: TrialWork | None = None,
) -> Tuning:
    """Searches, from the models of a pipeline as they are, for one that is better on the validation part.

    Each trial is fitted on the training part, stopped by the validation part and judged on it, as networks are chosen
    in a run; one that falls behind the median of those before it whose losses measure the same is given up. No network
    is tried twice, and where all of a space have been tried, the search ends. Trials are kept, and the next call with
    the same data, models and space goes on from them.

    Args:
        definition: The pipeline, with a name.
        project: Where model files and the store lie.
        space: What to vary.
        base: Folder of the pipeline file, for relative paths.
        minutes: Time after which no further step is made.
        trials: Most trials, those of earlier calls included; None for no limit.
        offline: Whether to take tickers from their last snapshots, without the network.
        listener: Who is told.
        work: Who makes the trials; None for this process. With several workers, what is tried depends on which of them
            ends first, and a trial is given up by those that had ended when it was begun.

    Raises:
        Interrupted: The listener said so; trials are kept.
        StoreError: Another search of this pipeline is going on.
        ForecasterError: With cause and remedy, whatever went wrong.
    """
    refuse_groups(definition)
    if definition.symbolic:
        raise DefinitionError(
            f"{definition.name}: only pipelines of numbers are tuned; symbols have no such search yet"
        )
    until = time.monotonic() + 60 * minutes
    prepared = prepare(definition, project, base, offline=offline)
    listener = listener or Listener()
    listener.read(prepared.panel.notes, prepared.inferred)
    search = _Search(definition, prepared, space, until, listener, work)
    file = project.store / ".tuning" / f"{definition.name}.journal"
    refusal = f"{definition.name}: another search ({{}}) is going on; let it end first"
    with sole(file.with_suffix(".lock"), f"lock the trials of {definition.name}", refusal):
        study = opened(file, f"{definition.name} {search.key}", definition.seed)
        stopped = search.run(study, trials)
        done = trials_of(study)
    best = min(done, key=lambda one: one.rank, default=None)
    if best is None or best.score is None:
        if done and all(one.state == "failed" for one in done):
            failed = "the only trial" if len(done) == 1 else f"all {len(done)} trials"
            raise ForecasterError(f"{definition.name}: {failed} failed; the last one said: {done[-1].error}")
        raise ForecasterError(
            f"{definition.name}: no trial came to its end in {minutes:g} minutes; call it again with more --minutes"
        )
    return search.found(best, done, stopped)


class _Search:
    """The objective of a study, and what it knows of the pipeline."""

    def __init__(
        self,
        definition: PipelineDefinition,
        prepared: Prepared,
        space: Space,
        until: float,
        listener: Listener,
        work: TrialWork | None,
    ) -> None:
        self.definition, self.prepared, self.until = definition, prepared, until
        self.listener, self.work = listener, work
        self.models = {str(model.name): model for model in prepared.models}
        self.space = space
        for model in self.models.values():
            self.space = holding(self.space, model)
        self.as_they_are = {
            name: {key: getattr(model, key) for key in self.space} for name, model in self.models.items()
        }
        self.every = combinations(self.space, list(self.models))
        self.lock = threading.Lock()  # what is suggested to one worker's thread and how another's trial ends

    @property
    def key(self) -> str:
        """What trials belong to: data, pipeline, models and space."""
        said = self.definition.model_dump(mode="json", exclude=set(ASIDE))
        models = [model.model_dump(mode="json") for model in self.models.values()]
        told = [said, models, repr(sorted(self.space.items())), data_hash(self.prepared.fitting)]
        told.append(self.definition.promote.metric)  # no fit depends on it, but each score
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def found(self, best: Trial, done: Sequence[Trial], stopped: str) -> Tuning:
        """The end, with the best trial's model file."""
        own = [one.score for one in done if one.score is not None and one.changes == self.as_they_are[one.model]]
        told = {**self.models[best.model].model_dump(), **best.changes, "name": None}
        model = parse(told, ModelDefinition, f"trial {best.number}")
        metric = self.definition.promote.metric
        return Tuning(str(self.definition.name), metric, model, best.rank, min(own, default=None), done, stopped)

    def run(self, study: optuna.Study, most: int | None) -> str:
        """Makes trials until time, count or space is over; says which."""
        if not study.trials:
            for name, values in self.as_they_are.items():
                study.enqueue_trial({"model": name, **values})
        while most is None or begun(study) < most:
            if time.monotonic() >= self.until:
                return "the time is over"
            if self._untried(tried(study)) == []:
                return "everything that can be has been tried"
            if self.work:
                self._make_elsewhere(self.work, study, most)
            else:
                self._make_here(study)
        return "no more were asked for"

    def _make_here(self, study: optuna.Study) -> None:
        """One trial, in this process, if there is anything left to try."""
        if (chosen := self._next(study)) is None:
            return
        trial, model = chosen
        label = _label(trial)
        end = TrialEnd("cut off")  # whatever ends the search, Ctrl-C among it: the next call makes this trial again
        try:
            self.listener.begin(label)
            end = fit_and_judge(
                self.definition, self.prepared, model, label, others=self._others(study, model), until=self.until,
                listener=self.listener,
            )  # fmt: skip
        finally:
            settle(study, trial, end)

    def _make_elsewhere(self, work: TrialWork, study: optuna.Study, most: int | None) -> None:
        """Trials by workers, until time or count is over; each is told of when it has ended."""
        open_ones: dict[str, optuna.Trial] = {}
        orders = self._orders(study, most, open_ones)
        with closing(work.ends(self.definition, data_hash(self.prepared.panel), orders)) as ends:
            for label, found in ends:
                trial = open_ones.pop(label)
                end = found or TrialEnd("cut off")
                if found is None and trial.user_attrs.get(LOST):
                    end = TrialEnd("failed", error="two processes in which it was made have been killed")
                with self.lock:
                    settle(study, trial, end, lost=found is None)
                self._tell(label, end)

    def _tell(self, label: str, end: TrialEnd) -> None:
        """Tells the listener of a trial that was made elsewhere."""
        best = min(end.losses.values(), default=math.nan)
        self.listener.begin(label)
        self.listener.progress(Progress(label, end.steps, end.steps, validation=best, best=best, done=True))
        if self.listener.stop():
            raise Interrupted(f"stopped after {label}")

    def _orders(
        self, study: optuna.Study, most: int | None, open_ones: dict[str, optuna.Trial]
    ) -> Iterator[dict[str, Any]]:
        """What workers must know of each trial; the next one is chosen when there is a worker for it."""
        while (most is None or begun(study) < most) and time.monotonic() < self.until:
            with self.lock:
                chosen = self._next(study)
            if chosen is None:
                return
            trial, model = chosen
            label = _label(trial)
            open_ones[label] = trial
            yield {
                "label": label, "model": model.model_dump(mode="json"), "others": self._others(study, model),
                "seconds": self.until - time.monotonic(),
            }  # fmt: skip

    def _others(self, study: optuna.Study, model: ModelDefinition) -> list[Losses]:
        """How the trials went that came to their end, and whose losses can be compared with those of a network."""
        return losses_of(study, [name for name, one in self.models.items() if one.kind_of_loss == model.kind_of_loss])

    def _next(self, study: optuna.Study) -> tuple[optuna.Trial, ModelDefinition] | None:
        """The next trial and its network; None where all have been tried.

        Suggestions of values that do not go together, or that were tried before, are put away; where the sampler comes
        back to the same ones, something else is tried at random.

        Raises:
            DefinitionError: There is nothing else, so the space must be wrong; says what does not go together.
        """
        impossible = 0
        for suggestion in itertools.count():
            before = tried(study)
            untried = self._untried(before)
            if untried == []:
                return None
            trial, model = study.ask(), None
            try:
                model = self._model(trial)
            except DefinitionError as error:
                impossible += 1
                if untried is None and impossible == MOST_REFUSED:
                    refuse(study, trial)
                    raise DefinitionError(f"{MOST_REFUSED} suggestions cannot be; the last, {error}") from None
            if model and trial.params not in before:
                return trial, model
            refuse(study, trial)
            if trial.params in before:
                chance = random.Random(f"{self.definition.seed} {len(before)} {suggestion}")
                other = chance.choice(untried) if untried else drawn(self.space, list(self.models), chance)
                study.enqueue_trial(other)
        return None

    def _untried(self, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
        """What is left to try; None where there is no list of it."""
        return self.every and [one for one in self.every if one not in before]

    def _model(self, trial: optuna.Trial) -> ModelDefinition:
        """The network that a trial suggests."""
        base = self.models[trial.suggest_categorical("model", list(self.models))]
        changes = {key: suggested(trial, key, one) for key, one in self.space.items()}
        judged = {**base.model_dump(), **changes, **JUDGED_BEFORE}
        if base.head == "negative_binomial":  # says whole numbers by itself
            judged["support"] = base.support
        return parse(judged, ModelDefinition, _label(trial))


def _label(trial: optuna.Trial) -> str:
    return f"trial {trial.number + 1}"
