"""A run on series of which networks know more or less."""

import json

import numpy as np
import pandas as pd
import pytest

from forecaster.config import Project, read_pipeline
from forecaster.errors import DataError
from forecaster.evaluation.apart import LONG, NEW
from forecaster.pipeline import run
from forecaster.pipeline.preparation import prepare
from tests.pipeline.conftest import SMALL, write_project

MODELS = [{"extends": "simple_rnn", **SMALL}]


def project_of(folder, lengths, value=lambda steps, generator: 10 + generator.normal(0, 1, len(steps)), **changes):
    """A pipeline whose series end together."""
    generator = np.random.default_rng(3)
    frames = [
        pd.DataFrame(
            {
                "id": f"s{number}",
                "ds": pd.date_range(end="2024-03-30", periods=length, freq="h"),
                "y": value(np.arange(length), generator),
            }
        )
        for number, length in enumerate(lengths)
    ]
    pd.concat(frames).to_csv(folder / "many.csv", index=False)
    keys = {"horizon": 4, "lookback": 12, "models": MODELS, "backtest": {"windows": 3}, **changes}
    file = write_project(folder, data={"path": str(folder / "many.csv"), "id": "id"}, **keys)
    return read_pipeline(file), Project(folder)


def test_series_that_were_not_in_training_are_forecast_and_scored_apart(tmp_path):
    definition, project = project_of(tmp_path, [200, 180, 10])
    result = run(definition, project, base=tmp_path, publishing=False, report=tmp_path / "report.html")
    assert result.apart.set_index("kind")["series"].to_dict() == {LONG: 2, NEW: 1}
    assert {"simple_rnn", result.gate.best_naive} <= {*result.apart.columns}
    assert json.loads(result.to_json())["apart"][1]["kind"] == NEW
    assert NEW in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_where_all_series_are_long_nothing_is_told_apart(finished):
    result, _, _ = finished
    assert result.apart.empty and json.loads(result.to_json())["apart"] == []


def counts(steps, generator):
    return generator.poisson(1.0, len(steps))


def test_what_model_files_say_of_the_support_is_told(tmp_path):
    models = [*MODELS, {"extends": "gru", **SMALL, "support": "real"}]
    definition, project = project_of(tmp_path, [200], counts, models=models)
    told = prepare(definition, project, tmp_path).inferred["support"]
    assert told.startswith("whole numbers from zero on (") and told.endswith("; gru: real (as told)")
    alone = definition.model_copy(update={"models": definition.models[1:]})
    told = prepare(alone, project, tmp_path).inferred["support"]
    assert told.startswith("ridge: whole numbers from zero on (") and told.endswith("; gru: real (as told)")


@pytest.mark.parametrize("keys", [{"support": "whole"}, {"head": "negative_binomial"}])
def test_values_that_a_model_file_rules_out_are_refused_before_anything_is_fitted(tmp_path, keys):
    models = [{"extends": "simple_rnn", **SMALL, **keys}]
    definition, project = project_of(tmp_path, [200], lambda steps, _: -1.5 - steps, models=models)
    with pytest.raises(DataError, match=r"simple_rnn: .*-1\.5.*"):
        prepare(definition, project, tmp_path)
