"""A search: inside the training part, pruned, resumable, within its budget; it ends with a model file and a page."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from forecaster.config import ModelDefinition, Project, read_model, read_pipeline
from forecaster.config.search import Choices, Range, read_space
from forecaster.errors import DefinitionError, ForecasterError, Interrupted, StoreError
from forecaster.execution import LocalExecutor
from forecaster.forecasting.training import Control
from forecaster.lifecycle.sole import sole
from forecaster.lifecycle.studies import opened, trials_of
from forecaster.lifecycle.trial_fit import TrialEnd, fit_and_judge
from forecaster.lifecycle.trial_work import TrialWork
from forecaster.lifecycle.tuning import Trial, Tuning, tune
from forecaster.pipeline import Listener
from forecaster.pipeline.candidates import network_of
from forecaster.pipeline.contest import validation_score
from forecaster.pipeline.preparation import prepare
from forecaster.reporting.tuning import render_tuning
from tests.lifecycle.conftest import Here
from tests.pipeline.conftest import SMALL, write_project

optuna = pytest.importorskip("optuna")


def storage_of(file):
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(file)))


SPACE_OF_TWO = read_space(["units=2,3", "learning_rate=0.0001..0.01"])


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A project, and a search of three trials in two calls; the first call ended in the second trial."""
    folder = tmp_path_factory.mktemp("tuned")
    file = write_project(folder, models=[{"extends": "gru", **SMALL, "units": 3, "steps": 10, "evaluate_every": 5}])
    definition, project = read_pipeline(file), Project(folder)
    begun = []
    listener = Listener(begin=begun.append, stop=lambda: len(begun) == 2)
    with pytest.raises(Interrupted, match="trial 2"):
        tune(definition, project, SPACE_OF_TWO, base=folder, listener=listener)
    return tune(definition, project, SPACE_OF_TWO, base=folder, trials=3), definition, project, folder


def test_the_models_as_they_are_come_first_and_the_best_is_never_worse(searched):
    result, *_ = searched
    assert dict(result.trials[0].changes) == {"units": 3, "learning_rate": 0.002}
    assert result.before == result.trials[0].score
    assert result.score == min(one.score for one in result.trials if one.score is not None) <= result.before
    assert result.stopped == "no more were asked for"


def test_a_trial_is_judged_as_a_run_judges_the_same_model(searched):
    """With its share of the Theta method."""
    result, definition, project, folder = searched
    prepared = prepare(definition, project, folder)
    network = network_of(definition, prepared, prepared.models[0], Control()).fit(prepared.fitting)
    assert network.theta > 0
    assert result.before == pytest.approx(validation_score(network, definition, prepared), rel=1e-6)


def test_a_call_goes_on_from_the_trials_of_the_one_before_and_makes_the_interrupted_one_again(searched):
    result, definition, project, folder = searched
    states = [one.state for one in result.trials]
    assert states.count("complete") + states.count("pruned") == 3 and states[1] == "cut off"
    assert result.trials[2].changes == result.trials[1].changes
    assert tune(definition, project, SPACE_OF_TWO, base=folder, trials=3).trials == result.trials


def test_what_comes_after_the_first_test_cutoff_changes_nothing(searched, tmp_path):
    result, definition, _, folder = searched
    lines = (folder / "demand.csv").read_text(encoding="utf-8").splitlines()
    changed = lines[: -5 * 24] + [f"{line.split(',')[0]},1" for line in lines[-5 * 24 :]]
    (folder / "demand.csv").write_text("\n".join(changed), encoding="utf-8")
    again = tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, trials=1)
    assert again.score == result.before


def test_a_trial_whose_program_died_is_made_again(tmp_path):
    file = tmp_path / "x.journal"
    study = opened(file, "x", 1)
    study.ask().suggest_categorical("units", [2, 3])
    later = opened(file, "x", 1)
    assert [one.state for one in trials_of(later)] == ["cut off"]
    assert later.ask().suggest_categorical("units", [2, 3]) == trials_of(later)[0].changes["units"]


def test_a_line_that_was_not_written_to_its_end_costs_only_itself(tmp_path, caplog):
    """As after a full disk; the next call would write into that line, and no trial could be read from then on."""
    file = tmp_path / "x.journal"
    for score in (1.0, 2.0):
        study = opened(file, "x", 1)
        trial = study.ask()
        trial.suggest_categorical("units", [2, 3])
        study.tell(trial, score)
    assert not caplog.text
    file.write_bytes(file.read_bytes()[:-25])
    later = opened(file, "x", 1)
    assert [one.score for one in trials_of(later)] == [1.0, None]
    assert "x.journal: its last line was not written to its end" in caplog.text
    later.tell(later.ask(), 3.0)
    assert len(opened(file, "x", 1).trials) == 3


def test_a_trial_that_was_given_up_has_no_score_but_a_loss(tmp_path):
    study = opened(tmp_path / "x.journal", "x", 1)
    trial = study.ask()
    trial.suggest_categorical("units", [2, 3])
    trial.report(0.01, 100)
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert [(one.state, one.score) for one in trials_of(study)] == [("pruned", None)]


def test_values_that_do_not_go_together_are_no_trial(tmp_path, monkeypatch):
    """One layer as it is, or three, with which two dilations do not go; and a key that a GRU has not at all."""
    model = {"extends": "gru", **SMALL, "steps": 4, "evaluate_every": 2, "dilations": [1, 2]}
    definition, project = read_pipeline(write_project(tmp_path, models=[model])), Project(tmp_path)
    monkeypatch.setattr(
        "forecaster.lifecycle.tuning.fit_and_judge", lambda *told, **more: TrialEnd("complete", score=1.0)
    )
    found = tune(definition, project, {"layers": Choices((1, 3)), "units": Choices((2, 3))}, base=tmp_path, trials=9)
    assert {one.changes["layers"] for one in found.trials} == {1}
    assert sorted(one.changes["units"] for one in found.trials) == sorted({2, 3, definition.models[0].units})
    assert found.stopped == "everything that can be has been tried"
    with pytest.raises(DefinitionError, match=r"50 suggestions cannot be; the last, .* cell has recurrent_dropout"):
        tune(definition, project, {"recurrent_dropout": Range(0.1, 0.3)}, base=tmp_path)


def test_each_network_of_a_small_space_is_tried_once_and_then_the_search_ends(tmp_path, monkeypatch):
    """Whatever its end; but one that was cut off is made again."""
    models = [{"extends": "gru", **SMALL, "name": name, "units": 16} for name in ("one", "two")]
    definition, project = read_pipeline(write_project(tmp_path, models=models)), Project(tmp_path)
    ends = [TrialEnd("complete", score=1.0), TrialEnd("pruned"), TrialEnd("failed", error="no"), TrialEnd("cut off")]
    monkeypatch.setattr("forecaster.lifecycle.tuning.fit_and_judge", lambda *told, **more: (ends or [end]).pop(0))
    space, end = {"units": Choices((8, 12))}, TrialEnd("complete", score=2.0)
    first = tune(definition, project, space, base=tmp_path, trials=2)
    assert [(one.model, one.changes["units"]) for one in first.trials] == [("one", 16), ("two", 16)]
    found = tune(definition, project, space, base=tmp_path, trials=9)
    assert [one.state for one in found.trials] == ["complete", "pruned", "failed", "cut off", *["complete"] * 3]
    made = [(one.model, one.changes["units"]) for one in found.trials if one.state != "cut off"]
    assert sorted(made) == [(name, units) for name in ("one", "two") for units in (8, 12, 16)]
    assert found.trials[3].changes == found.trials[4].changes
    assert found.stopped == "everything that can be has been tried"
    assert tune(definition, project, space, base=tmp_path).trials == found.trials


def test_nor_is_one_tried_twice_of_a_space_that_is_too_large_to_be_listed(tmp_path, monkeypatch):
    """The sampler comes back to what was best, and a search does not end in an error for that."""
    models = [{"extends": "gru", **SMALL, "name": "one", "units": 16}]
    definition, project = read_pipeline(write_project(tmp_path, models=models)), Project(tmp_path)
    monkeypatch.setattr("forecaster.config.search.MOST_LISTED", 1)
    monkeypatch.setattr("forecaster.lifecycle.tuning.MOST_REFUSED", 1)
    monkeypatch.setattr(
        "forecaster.lifecycle.tuning.fit_and_judge", lambda *told, **more: TrialEnd("complete", score=1.0)
    )
    found = tune(definition, project, {"units": Choices((8, 9, 10, 11, 12))}, base=tmp_path, trials=6)
    assert sorted(one.changes["units"] for one in found.trials) == [8, 9, 10, 11, 12, 16]


def test_workers_try_each_network_once_too(searched, tmp_path):
    _, definition, _, folder = searched
    work = elsewhere(folder, tmp_path, {"trial 2": "die"})
    found = tune(definition, Project(tmp_path), {"units": Range(2, 5)}, base=folder, trials=9, work=work)
    made = [one.changes["units"] for one in found.trials if one.state == "complete"]
    assert sorted(made) == [2, 3, 4, 5] and found.stopped == "everything that can be has been tried"


def test_a_score_that_is_no_number_is_a_failure(searched, monkeypatch):
    _, definition, project, folder = searched
    fitted = SimpleNamespace(fit=lambda panel: None, curve=pd.DataFrame({"step": [4]}))
    monkeypatch.setattr("forecaster.lifecycle.trial_fit.network_of", lambda *told: fitted)
    monkeypatch.setattr("forecaster.lifecycle.trial_fit.validation_score", lambda *told: math.nan)
    prepared = prepare(definition, project, folder)
    end = fit_and_judge(
        definition, prepared, prepared.models[0], "trial 1", others=[], until=math.inf, listener=Listener()
    )
    assert (end.state, end.score, end.error) == ("failed", None, "its score on the validation part is nan")


def test_a_trial_in_which_the_time_ends_is_not_judged(searched, tmp_path, monkeypatch):
    _, definition, _, folder = searched
    begun = []
    for module in ("tuning", "trial_fit"):
        clock = SimpleNamespace(monotonic=lambda: 1e6 * len(begun))
        monkeypatch.setattr(f"forecaster.lifecycle.{module}.time", clock)
    listener = Listener(begin=begun.append)
    with pytest.raises(ForecasterError, match="no trial came to its end"):
        tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, listener=listener)
    file = tmp_path / "models" / "store" / ".tuning" / "small.journal"
    [name] = optuna.get_all_study_names(storage_of(file))
    assert [one.state for one in trials_of(opened(file, name, 1))] == ["cut off"]


def test_a_trial_that_is_behind_the_median_of_others_is_given_up(searched, monkeypatch):
    _, definition, project, folder = searched
    monkeypatch.setattr("forecaster.lifecycle.trial_fit.FEWEST_STEPS", 5)
    prepared = prepare(definition, project, folder)
    model = prepared.models[0].model_copy(update={"steps": 100})
    others = [dict.fromkeys(range(1000), 0.0)] * 5
    end = fit_and_judge(
        definition, prepared, model, "trial 6", others=others, until=math.inf, listener=Listener()
    )  # fmt: skip
    assert (end.state, end.score) == ("pruned", None) and 5 <= end.steps == max(end.losses) < 30


def test_a_trial_is_compared_with_those_whose_loss_measures_the_same(tmp_path, monkeypatch):
    """The loss of quantiles is a distance, that of a distribution a likelihood."""
    heads = {"one": {}, "two": {"units": 3}, "likely": {"head": "student_t"}}
    models = [{"extends": "gru", **SMALL, "name": name, **keys} for name, keys in heads.items()]
    definition = read_pipeline(write_project(tmp_path, models=models))
    told = []

    def made(definition, prepared, model, label, *, others, **more):
        told.append((model.head, others))
        return TrialEnd("complete", {100: 1.0 if model.head == "quantiles" else 9.0}, 100, 1.0)

    monkeypatch.setattr("forecaster.lifecycle.tuning.fit_and_judge", made)
    tune(definition, Project(tmp_path), SPACE_OF_TWO, base=tmp_path, trials=9)
    met = [head for head, _ in told]
    assert {*met} == {"quantiles", "student_t"}
    for place, (head, others) in enumerate(told):
        assert others == [{100: 1.0 if head == "quantiles" else 9.0}] * met[:place].count(head)


def test_a_second_search_of_one_pipeline_at_once_is_refused(searched):
    _, definition, project, folder = searched
    with sole(project.store / ".tuning" / "small.lock", "", ""):
        told = r"small: another search \(.*:\d+:\d+, as host:process:start\) is going on; let it end first"
        with pytest.raises(StoreError, match=told):
            tune(definition, project, SPACE_OF_TWO, base=folder, trials=1)


def test_a_worker_finds_what_this_process_finds(searched, tmp_path):
    result, definition, _, folder = searched
    work = TrialWork(Project(tmp_path), folder, LocalExecutor)
    begun = []
    there = tune(
        definition, Project(tmp_path), SPACE_OF_TWO, base=folder, trials=1, work=work,
        listener=Listener(begin=begun.append),
    )  # fmt: skip
    assert there.score == there.before == result.before and begun == ["trial 1"]
    assert (there.trials[0].changes, there.trials[0].steps) == (result.trials[0].changes, result.trials[0].steps)


def elsewhere(folder, tmp_path, wishes, executor=lambda: LocalExecutor(2)):
    """A project of its own, with the data of `folder` and workers that do what they are told; see `jobs.trial`."""
    (tmp_path / "wishes.json").write_text(json.dumps(wishes), encoding="utf-8")
    return TrialWork(Project(folder), tmp_path, executor, function="tests.lifecycle.jobs:trial")


class Impatient(LocalExecutor):
    """Gives the second trial half a second."""

    def run(self, tasks):
        return super().run(replace(one, time_limit=0.5) if one.key == "trial 2" else one for one in tasks)


def test_a_trial_whose_worker_is_killed_is_made_by_another_one_and_none_is_made_too_many(searched, tmp_path):
    result, definition, _, folder = searched
    work = elsewhere(folder, tmp_path, {"trial 2": "die"})
    found = tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, trials=5, work=work)
    states = [one.state for one in found.trials]
    assert states.count("complete") == 5 and len(states) == 6 and states[1] == "cut off"
    assert found.trials[1].changes in [one.changes for one in found.trials[2:]] and found.stopped == result.stopped
    assert found.score == min(one.score for one in found.trials if one.score)


def test_a_trial_that_kills_its_workers_or_is_ended_has_failed_and_the_search_goes_on(searched, tmp_path):
    _, definition, _, folder = searched
    work = elsewhere(folder, tmp_path, {"trial 2": "hang", "trial 4": "die", "trial 5": "die"}, Impatient)
    found = tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, trials=4, work=work)
    assert [one.state for one in found.trials] == ["complete", "failed", "complete", "cut off", "failed"]


def test_a_fault_that_every_trial_would_have_ends_the_search_and_keeps_the_trials(searched, tmp_path):
    _, definition, _, folder = searched
    work = elsewhere(folder, tmp_path, {"trial 2": "half a file"}, Here)
    with pytest.raises(ForecasterError, match="trial 2: row 3 is cut off") as ended:
        tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, trials=3, work=work)
    assert ended.value.exit_code == 2
    (tmp_path / "wishes.json").write_text("{}")
    found = tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, trials=3, work=work)
    assert [one.state for one in found.trials] == ["complete", "cut off", "complete", "complete"]
    assert found.trials[2].changes == found.trials[1].changes


def test_where_all_trials_failed_the_reason_is_told(tmp_path):
    file = write_project(tmp_path, models=[{"extends": "gru", **SMALL, "learning_rate": 1e30}])
    space = {"learning_rate": Choices((1e30, 2e30))}
    with pytest.raises(ForecasterError, match=r"all 2 trials failed; the last one said: .*loss is not finite"):
        tune(read_pipeline(file), Project(tmp_path), space, base=tmp_path, trials=2)


def test_no_time_is_an_error_with_a_remedy(searched, tmp_path):
    _, definition, _, folder = searched
    with pytest.raises(ForecasterError, match="--minutes"):
        tune(definition, Project(tmp_path), SPACE_OF_TWO, base=folder, minutes=0.0)


def test_the_command_writes_a_model_file_that_a_pipeline_can_name_and_a_page(searched, capsys, monkeypatch):
    from forecaster.cli.tuning import tune_pipeline

    _, _, project, folder = searched
    options = {"minutes": 1.0, "models": [], "search": ["units=2,3", "learning_rate=0.0001..0.01"], "offline": False}
    tune_pipeline(folder / "small.yaml", project.root, True, trials=1, out=None, **options)
    told = json.loads(capsys.readouterr().out)
    assert "and no more were asked for. On the validation part the best MASE is" in told["verdict"]
    model = read_model(folder / "models" / "small_tuned.yaml")
    assert model.name == "small_tuned" and model.network == "gru" and model.steps == 10
    assert model.units in (2, 3) and np.isfinite(told["score"]) and len(told["trials"]) >= 1
    page = (folder / "models" / "reports" / "small_tune.html").read_text(encoding="utf-8")
    monkeypatch.setattr("forecaster.cli.tuning.executor_for", lambda place, workers: Here())
    tune_pipeline(folder / "small.yaml", project.root, True, trials=4, out=None, workers=2, **options)
    more = json.loads(capsys.readouterr().out)["trials"]
    assert len(more) == len(told["trials"]) + 1 and more[-1]["state"] == "complete"
    assert "found by forecaster tune small" in page and "learning_rate" in page
    (folder / "models" / "mine.yaml").write_text("network: gru\n", encoding="utf-8")
    for out, words in ((folder / "models/mine.yaml", "not replaced; name another"), (folder, "name another place")):
        with pytest.raises(DefinitionError, match=words):
            tune_pipeline(folder / "small.yaml", project.root, True, trials=1, out=out, **options)
    assert not list((folder / "models").glob(".*.partial"))


def test_the_table_has_each_value_below_its_key(capsys, monkeypatch):
    """A trial that was cut off as it was begun has not been given all values; names may look like mark-up."""
    from forecaster.cli.console import console
    from forecaster.cli.tuning import _table

    trials = [
        Trial(1, "complete", "[/red]", {"units": 8, "dropout": 0.123}, 0.5, 9, 1.0),
        Trial(2, "cut off", "gru", {"dropout": 0.25}, None, 0, 0.0),
    ]
    monkeypatch.setattr(console, "width", 80)
    console.print(_table(Tuning("p", "smape", ModelDefinition(network="gru"), 0.5, None, trials, "")))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert lines[0] == ["model", "sMAPE", "units", "dropout", "steps", "done"]
    assert lines[1] == ["1", "[/red]", "0.5000", "8", "0.12", "9"]
    assert lines[2] == ["2", "gru", "cut", "off", "0.25", "0"]


def test_why_trials_failed_is_told_once_a_reason(searched, capsys, monkeypatch):
    from forecaster.cli import tuning

    _, _, project, folder = searched
    states = ["complete", "failed", "failed", "pruned", "failed", "cut off"]
    reasons = ["", "the loss is not finite", "[too] long", "", "the loss is not finite", ""]
    trials = [
        Trial(number, state, "gru", {"units": 8}, 0.5 if state == "complete" else None, 9, 1.0, reason)
        for number, (state, reason) in enumerate(zip(states, reasons, strict=True), start=1)
    ]
    ended = Tuning("small", "smape", ModelDefinition(network="gru"), 0.5, None, trials, "no more were asked for")
    monkeypatch.setattr(tuning, "tune", lambda *arguments, **options: ended)
    tuning.tune_pipeline(
        folder / "small.yaml", project.root, False, minutes=1.0, trials=1, models=[], search=["units=2,3"],
        out=folder / "models" / "failing.yaml", offline=False,
    )  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("5 trials, and no more were asked for.") for line in lines), "one is made again"
    place = next(place for place, line in enumerate(lines) if "failed: " in line)
    assert lines[place : place + 2] == ["2 trials failed: the loss is not finite", "1 trial failed: [too] long"]
    assert sum("failed: " in line for line in lines) == 2


def test_words_from_files_cannot_leave_their_place_in_the_page():
    changes = {"units": "<q9>", "learning_rate": 0.1}
    trial = {
        "number": 1, "state": "pruned", "model": "<q9>", "changes": changes, "score": 0.5, "steps": 9, "seconds": 1,
    }  # fmt: skip
    told = dict.fromkeys(("pipeline", "metric", "verdict", "file"), "<q9>")
    page = render_tuning({**told, "score": 0.5, "before": None, "trials": [trial]})
    assert "<q9>" not in page and "&lt;q9&gt;" in page
