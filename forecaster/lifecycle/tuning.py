"""Tuning: a search for the model file that forecasts the validation part best. The test part stays closed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.config import ModelDefinition, PipelineDefinition, Project
from forecaster.config.reading import parse
from forecaster.config.search import Choices, Space
from forecaster.errors import DefinitionError, ForecasterError, Interrupted, TrainingError
from forecaster.forecasting.training import Control, Progress
from forecaster.lifecycle.studies import opened, trials_of
from forecaster.lifecycle.trial import Trial
from forecaster.pipeline.candidates import network_of
from forecaster.pipeline.contest import validation_score
from forecaster.pipeline.groups import refuse_groups
from forecaster.pipeline.listener import Listener
from forecaster.pipeline.preparation import Prepared, prepare
from forecaster.series import data_hash

if TYPE_CHECKING:
    import optuna

__all__ = ["Trial", "Tuning", "tune"]

JUDGED_BEFORE: Mapping[str, Any] = {"finish": 0.0, "ensemble": 1, "conformal": False}
"""Of the networks of a search: what comes behind the fit that is judged is left out."""


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
) -> Tuning:
    """Searches, from the models of a pipeline as they are, for one that is better on the validation part.

    Each trial is fitted on the training part, stopped by the validation part and judged on it, as networks are chosen
    in a run; one that falls behind the median of those before it is given up. Trials are kept, and the next call with
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

    Raises:
        Interrupted: The listener said so; trials are kept.
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
    search = _Search(definition, prepared, space, until, listener)
    file = project.store / ".tuning" / f"{definition.name}.journal"
    study = opened(file, f"{definition.name} {search.key}", definition.seed)
    stopped = search.run(study, trials)
    done = trials_of(study)
    best = min((one for one in done if one.score is not None), key=lambda one: one.score or 0.0, default=None)
    if best is None:
        raise ForecasterError(
            f"{definition.name}: no trial came to its end in {minutes:g} minutes; call it again with more --minutes"
        )
    own = [one.score for one in done if one.score is not None and one.changes == search.as_they_are[one.model]]
    found = parse(
        {**search.models[best.model].model_dump(), **best.changes, "name": None},
        ModelDefinition,
        f"trial {best.number}",
    )
    score = float(best.score or 0.0)
    return Tuning(
        str(definition.name), definition.promote.metric, found, score, min(own, default=None), done, stopped
    )  # fmt: skip


class _Search:
    """The objective of a study, and what it knows of the pipeline."""

    def __init__(
        self, definition: PipelineDefinition, prepared: Prepared, space: Space, until: float, listener: Listener
    ) -> None:
        self.definition, self.prepared, self.until, self.listener = definition, prepared, until, listener
        self.models = {str(model.name): model for model in prepared.models}
        self.space = dict(space)
        for model in self.models.values():
            self.space = {key: one.holding(getattr(model, key)) for key, one in self.space.items()}
        self.as_they_are = {
            name: {key: getattr(model, key) for key in self.space} for name, model in self.models.items()
        }

    @property
    def key(self) -> str:
        """What trials belong to: data, pipeline, models and space."""
        said = self.definition.model_dump(mode="json", exclude={"name", "baselines", "promote", "keep", "schedule"})
        models = [model.model_dump(mode="json") for model in self.models.values()]
        told = [said, models, repr(sorted(self.space.items())), data_hash(self.prepared.fitting)]
        told.append(self.definition.promote.metric)
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def run(self, study: optuna.Study, most: int | None) -> str:
        """Makes trials until time or count is over; says which."""
        if not study.trials:
            for name, values in self.as_they_are.items():
                study.enqueue_trial({"model": name, **values})
        while most is None or _counted(study) < most:
            if time.monotonic() >= self.until:
                return "the time is over"
            self._try(study)
        return f"{most} trials have been made"

    def _try(self, study: optuna.Study) -> None:
        import optuna

        states = optuna.trial.TrialState
        trial = study.ask()
        try:
            score = self._score(trial)
        except optuna.TrialPruned:
            study.tell(trial, state=states.PRUNED)
        except _OutOfTimeError:
            study.enqueue_trial(trial.params)
            study.tell(trial, state=states.FAIL)
        except TrainingError as error:
            trial.set_user_attr("error", str(error))
            study.tell(trial, state=states.FAIL)
        except BaseException:  # whatever ends the search, Ctrl-C among it: the next call makes this trial again
            study.enqueue_trial(trial.params)
            study.tell(trial, state=states.FAIL)
            raise
        else:
            study.tell(trial, score)

    def _score(self, trial: optuna.Trial) -> float:
        """Fits and judges one network."""
        name = trial.suggest_categorical("model", list(self.models))
        changes = {key: _suggested(trial, key, self.space[key]) for key in self.space}
        base = self.models[name]
        model = parse({**base.model_dump(), **changes, **JUDGED_BEFORE}, ModelDefinition, f"trial {trial.number + 1}")
        watch = _Watch(trial, self.until, self.listener)
        self.listener.begin(watch.label)
        network = network_of(self.definition, self.prepared, model, Control(watch.report, watch.stop))
        try:
            network.fit(self.prepared.fitting)
        except Interrupted:
            if watch.asked:
                raise Interrupted(f"stopped in {watch.label}") from None
            if not watch.behind:
                raise _OutOfTimeError from None
            import optuna

            raise optuna.TrialPruned from None
        trial.set_user_attr("steps", int(network.curve["step"].iloc[-1]))
        return validation_score(network, self.definition, self.prepared)


class _OutOfTimeError(Exception):
    """The search ended before the trial did; another call makes it again."""


class _Watch:
    """Passes on how a fit goes, and ends it: where it falls behind, the time is over, or somebody asks."""

    def __init__(self, trial: optuna.Trial, until: float, listener: Listener) -> None:
        self.trial, self.until, self.listener = trial, until, listener
        self.label, self.asked, self.behind = f"trial {trial.number + 1}", False, False
        self._told = -1

    def report(self, progress: Progress) -> None:
        """See `Control`."""
        self.listener.progress(replace(progress, model=self.label))
        if progress.best < float("inf") and progress.step > self._told and not progress.done:
            self._told = progress.step
            self.trial.report(progress.best, progress.step)
            self.trial.set_user_attr("steps", progress.step)
            self.behind = self.trial.should_prune()

    def stop(self) -> bool:
        """See `Control`."""
        self.asked = self.asked or self.listener.stop()
        return self.asked or self.behind or time.monotonic() >= self.until


def _suggested(trial: optuna.Trial, key: str, dimension: Any) -> Any:
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(key, list(dimension.values))
    if dimension.whole:
        return trial.suggest_int(key, dimension.low, dimension.high, log=dimension.log)
    return trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)


def _counted(study: optuna.Study) -> int:
    """Trials that came to an end; one that was interrupted is made again."""
    ended = [trial for trial in study.trials if trial.state.is_finished()]
    return sum(trial.state.name != "FAIL" or "error" in trial.user_attrs for trial in ended)
