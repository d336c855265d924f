"""Where the trials of a search are kept, so that a later call goes on from them: Optuna's journal, lines of JSON."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.config.search import Choices, Dimension
from forecaster.errors import ForecasterError
from forecaster.lifecycle.trial import State, Trial
from forecaster.lifecycle.trial_fit import Losses, TrialEnd
from forecaster.store.durable import sync

if TYPE_CHECKING:
    import optuna

__all__ = ["LOST", "begun", "losses_of", "opened", "refuse", "settle", "suggested", "trials_of", "tried"]

logger = logging.getLogger(__name__)

LOST = "lost"
"""Marks a trial that is made again since the process in which it was made was killed."""
ERROR = "error"
"""Why a trial has failed; one that was only cut off has none."""
REFUSED = "refused"
"""Marks what was suggested and is no trial."""


def opened(file: Path, name: str, seed: int) -> optuna.Study:
    """The study of that name, new or as it was left; a trial that was cut off when its program died is made again.

    No other process may have the file open: see `sole`.

    Args:
        file: Where it is kept.
        name: Of the study: what its trials have in common.
        seed: Of what is tried.

    Raises:
        ForecasterError: Optuna is not installed, or the file cannot be read.
    """
    try:
        import optuna
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise ForecasterError("a search needs Optuna; install forecaster[tune]") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _mend(file)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(file)))
        there = name in optuna.get_all_study_names(storage)
        made = len(optuna.load_study(study_name=name, storage=storage).trials) if there else 0
        study = optuna.create_study(
            storage=storage, study_name=name, load_if_exists=True, direction="minimize",
            sampler=optuna.samplers.TPESampler(seed=seed + made),
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise ForecasterError(
            f"{file}: the trials of earlier calls cannot be read ({error}); move it away to begin anew"
        ) from error
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.enqueue_trial(trial.params)
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def _mend(file: Path) -> None:
    """Cuts off a last line that was not written to its end, as by a full disk: else the next one would go on in it."""
    content = file.read_bytes() if file.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        logger.warning("%s: its last line was not written to its end, and is left out", file)
        os.truncate(file, whole)
        sync(file)


def suggested(trial: optuna.Trial, key: str, dimension: Dimension) -> Any:
    """What a trial is to have for a key."""
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(key, list(dimension.values))
    if dimension.whole:
        return trial.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)
    return trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)


def settle(study: optuna.Study, trial: optuna.Trial, end: TrialEnd, lost: bool = False) -> None:
    """Writes down what came of a trial; one that was cut off is made again.

    Args:
        study: Whose trial.
        trial: Which.
        end: What came of it.
        lost: Whether it was cut off since the process in which it was made was killed.
    """
    states = _states()
    for step, loss in end.losses.items():
        trial.report(loss, step)
    trial.set_user_attr("steps", end.steps)
    if end.state == "complete":
        study.tell(trial, end.score)
    elif end.state == "pruned":
        study.tell(trial, state=states.PRUNED)
    else:
        if end.state == "failed":
            trial.set_user_attr(ERROR, end.error)
        else:
            study.enqueue_trial(trial.params, {LOST: True} if lost else None)
        study.tell(trial, state=states.FAIL)


def refuse(study: optuna.Study, trial: optuna.Trial) -> None:
    """Puts away what was suggested and no model file can say, or was tried before: it is never counted or shown."""
    trial.set_user_attr(REFUSED, True)
    study.tell(trial, state=_states().FAIL)


def begun(study: optuna.Study) -> int:
    """Trials that came to an end or are being made; one that was cut off is made again."""
    return sum(one.state.name != "WAITING" and not _without_end(one) for one in study.get_trials(deepcopy=False))


def _without_end(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether it was refused or cut off: to Optuna it has failed, but it has no error of its own."""
    return trial.state.name == "FAIL" and ERROR not in trial.user_attrs


def tried(study: optuna.Study) -> list[dict[str, Any]]:
    """What need not be tried again: the values of trials that came to an end, are being made, or cannot be."""
    found = [one for one in study.get_trials(deepcopy=False) if one.state.name != "WAITING"]
    return [one.params for one in found if REFUSED in one.user_attrs or not _without_end(one)]


def losses_of(study: optuna.Study, models: Collection[str]) -> list[Losses]:
    """How the trials went that came to their end and vary one of these models."""
    ended = study.get_trials(deepcopy=False, states=(_states().COMPLETE,))
    return [trial.intermediate_values for trial in ended if trial.params["model"] in models]


def trials_of(study: optuna.Study) -> list[Trial]:
    """What a study holds, for people: no trial that only waits."""
    states: dict[str, State] = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}
    told = []
    for one in study.trials:
        if one.state.name not in states or not one.params or REFUSED in one.user_attrs:
            continue
        changes = {key: value for key, value in one.params.items() if key != "model"}
        seconds = one.duration.total_seconds() if one.duration else 0.0
        state = "cut off" if _without_end(one) else states[one.state.name]
        score = one.value if state == "complete" else None  # Optuna takes the last loss for that of a pruned one
        steps, model = int(one.user_attrs.get("steps", 0)), str(one.params.get("model", ""))
        error = str(one.user_attrs.get(ERROR, ""))
        told.append(Trial(one.number + 1, state, model, changes, score, steps, seconds, error))
    return told


def _states() -> type[optuna.trial.TrialState]:
    from optuna.trial import TrialState

    return TrialState
