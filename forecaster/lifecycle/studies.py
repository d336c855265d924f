"""Where the trials of a search are kept, so that a later call goes on from them: Optuna's journal, lines of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.errors import ForecasterError
from forecaster.lifecycle.trial import Trial

if TYPE_CHECKING:
    import optuna

__all__ = ["opened", "trials_of"]

FEWEST_TRIALS = 5
"""Trials that come to their end before any is given up."""
FEWEST_STEPS = 100
"""Steps of each before it can be given up."""


def opened(file: Path, name: str, seed: int) -> optuna.Study:
    """The study of that name, new or as it was left; a trial that was cut off when its program died is made again.

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
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(file)))
        before = [one for one in optuna.get_all_study_names(storage) if one == name]
        made = len(optuna.load_study(study_name=name, storage=storage).trials) if before else 0
        study = optuna.create_study(
            storage=storage, study_name=name, load_if_exists=True, direction="minimize",
            sampler=optuna.samplers.TPESampler(seed=seed + made),
            pruner=optuna.pruners.MedianPruner(FEWEST_TRIALS, FEWEST_STEPS),
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        raise ForecasterError(
            f"{file}: the trials of earlier calls cannot be read ({error}); move it away to begin anew"
        ) from error
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.enqueue_trial(trial.params)
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def trials_of(study: optuna.Study) -> list[Trial]:
    """What a study holds, for people: no trial that only waits."""
    states = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}
    told = []
    for one in study.trials:
        if one.state.name in states and one.params:
            changes = {key: value for key, value in one.params.items() if key != "model"}
            seconds = one.duration.total_seconds() if one.duration else 0.0
            steps, model = int(one.user_attrs.get("steps", 0)), str(one.params.get("model", ""))
            state = states[one.state.name]
            if state == "failed" and "error" not in one.user_attrs:
                state = "cut off"
            score = one.value if state == "complete" else None  # Optuna takes the last loss for that of a pruned one
            told.append(Trial(one.number + 1, state, model, changes, score, steps, seconds))
    return told
