"""Which version a run may go on from: one that has seen nothing of what it will be judged by."""

import shutil
from dataclasses import replace

import pytest

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import DefinitionError
from forecaster.forecasting.training import Control
from forecaster.pipeline import run
from forecaster.pipeline.candidates import network_of
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
    kept = "keeps its season 24, 168, transform none, cycle 1"
    assert told.inferred["warm start"] == f"{told.gate.model} goes on from small version 1, and {kept}"
    manifest = Store(Project(tmp_path).store).manifest("small")
    assert manifest.version == 2 and manifest.inferred["warm start"] == told.inferred["warm start"]
    assert manifest.training["learnt_until"] < manifest.training["until"] < manifest.training["data_until"]


def test_what_a_version_has_otherwise_than_the_data_now_suggest_is_told(finished, winner, monkeypatch):
    _, project, _ = finished
    definition, prepared = prepared_for(winner, project)
    warm = warm_start(definition, prepared, Store(project.store))
    other = replace(warm, facts={**warm.facts, "lookback": 40, "season": []})
    monkeypatch.setattr("forecaster.pipeline.warm.warm_start", lambda *_: other)
    told = begin(definition, prepared, Store(project.store))[0].inferred
    assert told["lookback"] == f"{prepared.inferred['lookback']}; of {warm.model} 40 (as small version 1)"
    assert told["season"].endswith(f"; of {warm.model} none (as small version 1)")
    assert told["segment"] == prepared.inferred["segment"]


def test_what_the_pipeline_leaves_to_the_data_stays_as_the_version_has_it(finished, winner):
    """More data would make more of it every few months, and the weights would be of no use any more."""
    _, project, _ = finished
    definition, prepared = prepared_for(winner, project, lookback="auto", season="auto")
    warm = warm_start(definition, prepared, Store(project.store))
    facts = {**warm.facts, "lookback": 40, "season": [], "cycle": 1}
    model = next(one for one in prepared.models if one.name == warm.model)
    network = network_of(definition, prepared, model, Control(), replace(warm, facts=facts))
    assert (network.lookback, network.season, network.transform) == (40, 1, "none")
    told = network_of(winner, prepared, model, Control(), replace(warm, facts=facts))
    assert told.lookback == prepared.resolved.lookback, "the pipeline file says that, so it is refused"


def test_logarithms_that_the_data_have_no_place_for_any_more_are_not_gone_on_with(finished, winner, monkeypatch):
    _, project, _ = finished
    definition, prepared = prepared_for(winner, project)
    version = Store(project.store).read("small")
    training = version.manifest.training
    training = {**training, "network": {**training["network"], "transform": "log"}}
    manifest = version.manifest.model_copy(update={"training": training})
    monkeypatch.setattr(Store, "read", lambda store, name: replace(version, manifest=manifest))
    assert warm_start(definition, prepared, Store(project.store))
    prepared.fitting.target[0] = 0.0
    with pytest.raises(DefinitionError, match="has transform log, and by now not all values are above zero; fit from"):
        warm_start(definition, prepared, Store(project.store))


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
        ({"models": [{"extends": "lstm", **SMALL}]}, r"must be among the models \(lstm\); name it there"),
    ],
)
def test_a_version_that_knows_the_answers_is_refused(finished, winner, changes, words):
    _, project, _ = finished
    definition = winner.model_validate({**winner.model_dump(), **changes})
    with pytest.raises(DefinitionError, match=words):
        warm_start(definition, prepare(definition, project, project.root), Store(project.store))


def test_a_network_that_goes_step_by_step_is_refused_for_that_and_not_for_its_name(finished, winner):
    _, project, _ = finished
    prepared = prepare(winner, project, project.root)
    stepwise = [one.model_copy(update={"strategy": "recursive", "topology": "many_to_many"}) for one in prepared.models]
    with pytest.raises(DefinitionError, match="goes step by step; only networks that forecast a whole") as refused:
        warm_start(winner, replace(prepared, models=tuple(stepwise)), Store(project.store))
    assert "must be among" not in str(refused.value)


def test_networks_of_symbols_cannot_go_on_from_another(tmp_path):
    definition = PipelineDefinition(
        name="letters", data={"kind": "symbols", "path": "letters.csv"}, horizon=1, warm_start=True
    )
    with pytest.raises(DefinitionError, match=r"letters: .* those of symbols go step by step; leave warm_start out"):
        prepare(definition, Project(tmp_path), tmp_path)
