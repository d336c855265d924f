"""A backtest with `refit`: fold by fold here, or by workers, with the same forecasts."""

import json

import pytest

from forecaster.config import Project, read_pipeline
from forecaster.errors import ForecasterError
from forecaster.execution import Answer, LocalExecutor
from forecaster.forecasting.training import Control
from forecaster.pipeline.candidates import network_of
from forecaster.pipeline.folds import FoldWork, fit_fold, roll_folds
from forecaster.pipeline.preparation import prepare
from tests.pipeline.conftest import SMALL, write_project


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A project, its pipeline, and its data, cut; nothing is fitted."""
    folder = tmp_path_factory.mktemp("folds")
    model = {"extends": "simple_rnn", **SMALL, "steps": 4, "evaluate_every": 2}
    file = write_project(folder, models=[model], backtest={"windows": 2, "refit": True}, validation=2)
    project, definition = Project(folder), read_pipeline(file)
    return project, definition, prepare(definition, project, folder)


def network(told, control=None):
    _, definition, prepared = told
    return network_of(definition, prepared, prepared.models[0], control or Control())


def test_workers_say_what_this_process_says_and_no_fold_goes_on_from_anothers_checkpoint(told, tmp_path):
    project, definition, prepared = told
    fitted = network(told, Control(checkpoint=tmp_path / "one.npz", resume=True, key="k"))
    here = roll_folds(fitted, definition, prepared, None)
    assert not list(tmp_path.iterdir()) and fitted.resolved is None, "the folds have a network of their own"
    work = FoldWork(project, project.root, LocalExecutor)
    there = roll_folds(network(told), definition, prepared, work)
    assert there.equals(here) and here["cutoff"].nunique() == 2


class Executor:
    """Answers as it is told to, call by call."""

    def __init__(self, *answers):
        self.answers, self.asked = iter(answers), []

    def run(self, tasks):
        for task in tasks:
            self.asked.append(task.key)
            yield next(self.answers)(task.key)


@pytest.mark.parametrize(
    ("answers", "code", "fragment", "asked"),
    [
        ([lambda key: Answer(key, None, "row 3: no number", 2)], 2, "origin 1: row 3: no number", ["0"]),
        ([lambda key: Answer(key, None, "was killed", 3, lost=True)] * 4, 3, "origin 1: was killed", ["0", "1", "0"]),
    ],
)
def test_a_fold_that_cannot_be_fitted_ends_the_run_one_whose_worker_died_is_tried_again(
    told, answers, code, fragment, asked
):
    project, definition, prepared = told
    executor = Executor(*answers)
    with pytest.raises(ForecasterError, match=fragment) as caught:
        FoldWork(project, project.root, lambda: executor).forecasts(definition, prepared, "simple_rnn")
    assert caught.value.exit_code == code and executor.asked == asked


def test_a_worker_with_other_data_refuses(told):
    project, definition, _ = told
    order = {"definition": definition.model_dump(mode="json"), "root": str(project.root), "base": str(project.root)}
    with pytest.raises(ForecasterError, match="the data are others here"):
        fit_fold(json.dumps({**order, "model": "simple_rnn", "data": "ab", "fold": 0}).encode())
