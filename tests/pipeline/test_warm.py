"""Which version a run may go on from: one that has seen nothing of what it will be judged by."""

import shutil

import pytest

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import DefinitionError
from forecaster.pipeline import run
from forecaster.pipeline.preparation import prepare
from forecaster.pipeline.warm import begin, warm_start
from forecaster.store import Store
from tests.pipeline.conftest import SMALL


@pytest.fixture
def winner(finished):
    """The pipeline with the published network only, warm."""
    result, _, definition = finished
    entry = next(one for one in definition.models if one.extends == result.gate.model)
    return definition.model_copy(update={"models": [entry], "warm_start": True})


def prepared_for(definition, project, **changes):
    definition = definition.model_copy(update=changes)
    return definition, prepare(definition, project, project.root)


def test_a_run_goes_on_from_the_published_version_and_says_so(finished, winner, tmp_path):
    _, project, _ = finished
    shutil.copytree(project.root, tmp_path, dirs_exist_ok=True)
    told = run(winner, Project(tmp_path), base=tmp_path, force=True)
    assert told.inferred["warm start"] == f"{told.gate.model} goes on from small version 1"
    manifest = Store(Project(tmp_path).store).manifest("small")
    assert manifest.version == 2 and manifest.inferred["warm start"] == told.inferred["warm start"]
    assert manifest.training["learnt_until"] < manifest.training["until"] < manifest.training["data_until"]


def test_where_nothing_is_published_a_fit_begins_at_the_beginning_and_that_is_told(finished, winner, tmp_path):
    _, project, _ = finished
    definition, prepared = prepared_for(winner, project)
    told, warm = begin(definition, prepared, Store(tmp_path))
    assert warm is None and "from the beginning" in told.inferred["warm start"]
    assert begin(definition.model_copy(update={"warm_start": False}), prepared, Store(project.store)) == (
        prepared,
        None,
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backtest": {"windows": 7}}, "behind the first test cutoff"),
        ({"validation": 9}, "which this run would stop its fits by"),
        ({"models": [{"extends": "lstm", **SMALL}]}, r"must be among the models \(lstm\)"),
    ],
)
def test_a_version_that_knows_the_answers_is_refused(finished, winner, changes, words):
    _, project, _ = finished
    definition = winner.model_validate({**winner.model_dump(), **changes})
    with pytest.raises(DefinitionError, match=words):
        warm_start(definition, prepare(definition, project, project.root), Store(project.store))


def test_networks_of_symbols_cannot_go_on_from_another(tmp_path):
    definition = PipelineDefinition(
        name="letters", data={"kind": "symbols", "path": "letters.csv"}, horizon=1, warm_start=True
    )
    with pytest.raises(DefinitionError, match=r"letters: .* those of symbols go step by step; leave warm_start out"):
        prepare(definition, Project(tmp_path), tmp_path)
