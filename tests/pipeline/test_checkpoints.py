"""What a checkpoint belongs to: all that changes a fit, and nothing else."""

import pytest

from forecaster.config import ModelDefinition, PipelineDefinition
from forecaster.pipeline import checkpoints
from forecaster.pipeline.checkpoints import key_of

GRU = ModelDefinition(network="gru", name="gru")


def pipeline(**changes):
    return PipelineDefinition(**{"data": {"path": "a.csv"}, "horizon": 6, "name": "a"} | changes)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"schedule": "0 3 * * *"}, True),
        ({"executor": {"dask": "tcp://scheduler:8786"}}, True),
        ({"keep": 2, "name": "b", "baselines": ["naive"], "promote": {"significance": 0.1}}, True),
        ({"horizon": 7}, False),
        ({"seed": 2}, False),
        ({"transform": "log"}, False),
    ],
)
def test_what_cannot_change_a_fit_throws_none_away(changes, same):
    assert (key_of(pipeline(), GRU, "data") == key_of(pipeline(**changes), GRU, "data")) == same


def test_code_of_ones_own_and_the_release_belong_to_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_of_ones_own.py").write_text("build = 1")
    own = ModelDefinition(network="mine_of_ones_own:build", name="own")
    before = key_of(pipeline(), own, "data"), key_of(pipeline(), GRU, "data")
    assert before == (key_of(pipeline(), own, "data"), key_of(pipeline(), GRU, "data"))
    (tmp_path / "mine_of_ones_own.py").write_text("build = 2")
    assert key_of(pipeline(), own, "data") != before[0] and key_of(pipeline(), GRU, "data") == before[1]
    assert key_of(pipeline(), own.model_copy(update={"network": "nowhere.at_all:build"}), "data")
    monkeypatch.setattr(checkpoints, "version", lambda package: "another")
    assert key_of(pipeline(), GRU, "data") != before[1]
