"""The main job: what a run says, publishes and leaves behind."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from forecaster.config import Project, read_pipeline
from forecaster.errors import DataError, DefinitionError, Interrupted
from forecaster.pipeline import Listener, run
from forecaster.pipeline.preparation import baselines, prepare
from forecaster.pipeline.result import judge
from forecaster.store import Store
from tests.pipeline.conftest import SMALL, write_project


def test_networks_and_baselines_stand_in_one_leaderboard(finished):
    result, _, _ = finished
    board = result.leaderboard
    assert set(board["model"]) == {"gru", "simple_rnn", "naive", "seasonal_naive", "seasonal_naive_168", "ridge"}
    assert list(board["mase"]) == sorted(board["mase"])
    assert {"mase", "smape", "rmse", "coverage-80", "coverage-95", "wql", "skill", "seconds", "p", "significant"} <= {
        *board
    }
    assert board.loc[board["kind"] == "network", "validation"].notna().all()


def test_a_horizon_of_one_step(tmp_path):
    file = write_project(tmp_path, horizon=1, lookback=24, models=[{"extends": "gru", **SMALL}])
    result = run(read_pipeline(file), Project(tmp_path), base=tmp_path, publishing=False)
    board = result.leaderboard.set_index("model")
    assert board[["mase", "wql", "coverage-80"]].notna().all(axis=None)
    assert board.at["ridge", "mase"] < board.at["naive", "mase"]


def test_law_7_the_verdict_names_the_best_naive_forecast_with_its_score(finished):
    result, _, _ = finished
    best = result.leaderboard.query("kind == 'naive'").iloc[0]
    assert f"{best['model']}, {best['mase']:.3f}" in result.gate.verdict
    assert "ridge" in result.gate.verdict


def test_the_winner_is_chosen_on_the_validation_part_not_on_the_test_part(finished):
    result, _, _ = finished
    networks = result.leaderboard.query("kind == 'network'")
    assert result.gate.model == networks.loc[networks["validation"].idxmin(), "model"]


def test_law_5_what_was_inferred_is_said_and_recorded(finished):
    result, project, _ = finished
    assert "inferred from the time stamps" in result.facts["frequency"]
    assert "found in the fitting part" in result.inferred["season"]
    manifest = Store(project.store).manifest("small")
    assert manifest.inferred == dict(result.inferred)
    assert manifest.data["frequency"] == result.facts["frequency"]
    assert manifest.definition["levels"] == [80.0, 95.0]
    assert manifest.model_definition["units"] == 4
    assert manifest.inferred["lookback"].startswith("48 steps") and "share" in manifest.inferred["theta"]
    assert manifest.lookback == 128 and manifest.sees == 48 and 0 < manifest.training["theta"] < 1


def test_the_published_version_and_the_report_lie_where_the_result_says(finished):
    result, project, _ = finished
    assert (result.served / "saved_model.pb").is_file()
    assert result.served == project.store / "small" / str(result.version)
    assert "seasonal_naive" in result.report.read_text(encoding="utf-8")


def test_json_tells_the_same_without_nan(finished):
    result, _, _ = finished
    told = json.loads(result.to_json(), parse_constant=pytest.fail)
    assert told["gate"]["model"] == result.gate.model
    assert len(told["leaderboard"]) == 6
    assert told["published"]["version"] == result.version


def test_law_3_the_same_run_gives_bit_identical_scores_also_where_it_was_resumed(finished, tmp_path):
    first, _, definition = finished
    timeless = ["model", "mase", "smape", "rmse", "coverage-80", "coverage-95", "wql", "skill", "p", "validation"]
    begun, steps = [], iter(range(10_000))
    listener = Listener(begin=begun.append, stop=lambda: begun[-1] == "simple_rnn" and next(steps) == 5)
    with pytest.raises(Interrupted, match="stopped at step 4 of"):
        run(definition, Project(tmp_path), publishing=False, listener=listener)
    kept = sorted(file.name for file in (tmp_path / "models/store/.checkpoints/small").iterdir())
    assert kept == ["gru.npz", "simple_rnn.npz"]
    resumed = run(definition, Project(tmp_path), publishing=False, resume=True)
    pd.testing.assert_frame_equal(first.leaderboard[timeless], resumed.leaderboard[timeless], check_exact=True)
    assert not (tmp_path / "models/store/.checkpoints/small").exists()


@pytest.mark.parametrize("asked", [0, 5])
def test_a_run_stops_before_a_baseline_is_fitted_and_between_its_forecasts(tmp_path, asked):
    """Of five origins."""
    definition = read_pipeline(write_project(tmp_path))
    begun, looks = [], iter(range(100))
    listener = Listener(begin=begun.append, stop=lambda: begun[-1] == "seasonal_naive" and next(looks) == asked)
    with pytest.raises(Interrupted, match="stopped before seasonal_naive had forecast the test part"):
        run(definition, Project(tmp_path), publishing=False, listener=listener)
    assert begun == ["naive", "seasonal_naive"]


def test_a_network_that_does_not_beat_the_naive_forecast_is_not_published(tmp_path):
    """A random walk: nothing is there to be learnt."""
    file = write_project(tmp_path, transform="difference")
    walk = np.cumsum(np.random.default_rng(5).normal(size=24 * 30)) + 1000
    frame = pd.read_csv(tmp_path / "demand.csv").assign(y=walk)
    frame.to_csv(tmp_path / "demand.csv", index=False)
    definition = read_pipeline(file)
    definition = definition.model_copy(update={"models": definition.models[:1], "baselines": ["naive"], "seed": 4})
    result = run(definition, Project(tmp_path))
    naive = result.leaderboard.set_index("model").loc["naive"]
    assert not naive["significant"]
    if not result.gate.passed:
        assert result.version is None and "Nothing was published" in result.gate.verdict
        assert Store(tmp_path / "models/store").names() == []
    assert not result.gate.significant
    assert "No model of this run beats the naive forecasts significantly" in result.gate.verdict


@pytest.mark.parametrize(
    ("mase", "p", "passed", "significant", "words"),
    [
        (0.5, 0.01, True, True, "50% below the best naive forecast's (naive, 1.000); the difference is significant"),
        (0.9, 0.20, True, False, "the difference is NOT significant"),
        (0.998, 0.40, True, False, "0.2% below the best naive forecast's"),
        (1.0, 0.50, False, False, "does not beat the best naive forecast (naive, 1.000)"),
        (1.5, 0.99, False, False, "does not beat the best naive forecast (naive, 1.000)"),
    ],
)
def test_the_gate(mase, p, passed, significant, words):
    table = pd.DataFrame(
        {
            "model": ["lstm", "naive", "drift"],
            "kind": ["network", "naive", "naive"],
            "mase": [mase, 1.0, 1.2],
            "p": [p, np.nan, np.nan],
            "significant": [p < 0.05, False, False],
        }
    )
    gate = judge(table, "lstm", "mase", 0.05, 20, 24)
    assert (gate.passed, gate.significant) == (passed, significant)
    assert words in gate.verdict


@pytest.mark.parametrize(
    ("mase", "words"),
    [
        ({}, "MASE cannot be computed, so no model of this run is judged by it, and lstm does not pass"),
        ({}, "write `metric_season: 1`, or `promote: {metric: smape}`"),
        ({"naive": 1.0, "ridge": 0.9}, "it left out forecasts, so it has no MASE and does not pass"),
        ({"lstm": 0.5, "naive": 1.0}, "The cheap rival ridge left out forecasts and is not compared"),
    ],
)
def test_a_verdict_says_why_there_is_no_score(mase, words):
    models = ["lstm", "naive", "ridge"]
    table = pd.DataFrame(
        {
            "model": models,
            "kind": ["network", "naive", "rival"],
            "mase": [mase.get(model, np.nan) for model in models],
            "p": [1.0, np.nan, 1.0],
            "significant": [False, False, False],
        }
    )
    gate = judge(table, "lstm", "mase", 0.05, 20, 24)
    assert words in gate.verdict and "nan" not in gate.verdict
    assert gate.passed == ("lstm" in mase) and not gate.significant
    assert "metric_season" not in judge(table, "lstm", "mase", 0.05, 20, 1).verdict, "it is 1 already"


@pytest.mark.parametrize(
    ("rows", "told", "season", "words"),
    [
        (15, "auto", 1, "1 (no series has more than M4's 12 steps before the validation part)"),
        (40, "auto", 12, "12 (as in M4)"),
        (40, 3, 3, "3 (as told)"),
        (15, 12, 12, "12 (as told; MASE cannot be computed on the validation part: before it no values of a series "
         "that are 12 steps apart differ; write `metric_season: 1`, or `promote: {metric: smape}`)"),
    ],
)  # fmt: skip
def test_the_season_of_mase_is_one_that_the_data_have(tmp_path, rows, told, season, words):
    """The naive forecasts keep the year, which a few months more than one show already."""
    file = write_project(tmp_path, horizon=3, lookback="auto", backtest={}, metric_season=told)
    months = pd.date_range("2012-01-31", periods=rows, freq="ME")
    values = np.random.default_rng(3).normal(50, 9, rows)
    pd.DataFrame({"ds": months, "y": values}).to_csv(tmp_path / "demand.csv", index=False)
    definition = read_pipeline(file)
    prepared = prepare(definition, Project(tmp_path), tmp_path)
    assert (prepared.season, prepared.inferred["metric season"]) == (season, words)
    seasonal = next(one for one in baselines(definition, prepared) if one.name == "seasonal_naive")
    assert seasonal.season == (12 if told == "auto" else told)


def test_refit_publishes_the_twin_that_saw_all_data_and_says_so(finished, tmp_path):
    _, project, definition = finished
    promote = definition.promote.model_copy(update={"refit": True})
    definition = definition.model_copy(update={"promote": promote, "models": definition.models[:1], "keep": 1})
    shutil.copytree(project.store, tmp_path / "models/store")
    project = Project(tmp_path)
    assert Store(project.store).versions("small") == [1]
    result = run(definition, project, force=True)
    assert "fitted once more on all data" in result.gate.verdict
    assert Store(project.store).manifest("small").gate["refit"] is True
    assert Store(project.store).versions("small") == [result.version] == [2]


@pytest.mark.parametrize("told", ["auto", "log"])
def test_a_value_without_a_logarithm_behind_the_fitting_part(tmp_path, told):
    """Where `auto` chose the logarithm it is missing to the twin, too; who asked for it hears of it at once."""
    steps = np.arange(300)
    values = np.exp(0.02 * steps + 0.1 * np.sin(steps / 3))
    values[-5] = 0.0
    pd.DataFrame({"ds": steps, "y": values}).to_csv(tmp_path / "grows.csv", index=False)
    file = write_project(tmp_path, models=[{"extends": "gru", **SMALL}], promote={"refit": True}, transform=told)
    file.write_text(file.read_text().replace("demand.csv", "grows.csv").replace("horizon: 24", "horizon: 4"))
    definition, project = read_pipeline(file), Project(tmp_path)
    if told == "log":
        with pytest.raises(DataError, match="transform: log needs values above zero, but series 'y' has 0"):
            run(definition, project, force=True)
    else:
        result = run(definition, project, force=True)
        assert result.inferred["transform"].startswith("log (") and result.version == 1


def test_a_warm_start_from_a_twin_is_refused_before_anything_is_fitted(tmp_path):
    file = write_project(tmp_path, promote={"refit": True}, warm_start=True)
    with pytest.raises(
        DefinitionError, match=r"small: promote.refit publishes .* leave promote.refit or warm_start out"
    ):
        run(read_pipeline(file), Project(tmp_path), base=tmp_path)


def test_what_32_bit_numbers_cannot_tell_apart_is_refused(tmp_path):
    file = write_project(tmp_path)
    frame = pd.read_csv(tmp_path / "demand.csv")
    frame.assign(y=2e7 + frame["y"].cumsum() / 1000).to_csv(tmp_path / "demand.csv", index=False)
    with pytest.raises(DataError, match=r"series 'y' changes by 0.0998 .* too coarse to learn from and to judge by"):
        run(read_pipeline(file), Project(tmp_path), base=tmp_path)


def test_a_series_that_ends_early_is_left_out_where_its_known_covariates_end(tmp_path):
    """Its last origins have targets behind them, but no covariates over the whole horizon."""
    steps = np.arange(150)
    frame = pd.concat(
        pd.DataFrame({"who": name, "t": steps[:end], "y": np.sin(steps[:end] / 4), "open": steps[:end] % 8})
        for name, end in (("a", 150), ("b", 148), ("c", 134))
    )
    frame.to_csv(tmp_path / "loads.csv", index=False)
    data = {"path": "loads.csv", "id": "who", "time": "t", "known": ["open"], "clock": "shared"}
    told = {"horizon": 4, "models": [{"extends": "gru", **SMALL}], "backtest": {"windows": 5}, "validation": 3}
    file = tmp_path / "loads.yaml"
    file.write_text(yaml.safe_dump({"data": data, **told}))
    result = run(read_pipeline(file), Project(tmp_path), base=tmp_path, force=True)
    assert result.forecasts.groupby("unique_id")["cutoff"].nunique().to_dict() == {"a": 5, "b": 4, "c": 1}
    assert result.inferred["left out, test"].startswith("1 of 11 forecasts of the test part, for want of known")
    assert result.version == 1 and np.isfinite(result.forecasts["gru"]).all()
    frame.assign(open=np.where(frame["t"] < 127, 1.0, np.nan)).to_csv(tmp_path / "loads.csv", index=False)
    with pytest.raises(DataError, match=r"11 of 11 forecasts of the test part, .*: none is left to judge by; add rows"):
        run(read_pipeline(file), Project(tmp_path), base=tmp_path)


def test_that_ridge_alone_is_cautious_is_told_as_such(tmp_path):
    """Networks with conformal intervals are not."""
    for judges, told in ((["naive", "ridge"], "ridge: intervals drawn towards"), (["naive"], "None")):
        models = [{"extends": "gru", **SMALL, "conformal": True}]
        definition = read_pipeline(write_project(tmp_path, models=models, baselines=judges))
        assert str(prepare(definition, Project(tmp_path), tmp_path).inferred.get("caution")).startswith(told)


def test_covariates_many_series_and_own_clocks(tmp_path):
    """Whole-number stamps: series of different length, each cut from its own end."""
    rows = [
        {"who": name, "t": step, "size": size, "load": np.sin(step / 4) * size, "hour": step % 8}
        for name, size, length in (("a", 1.0, 150), ("b", 5.0, 190))
        for step in range(length)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "loads.csv", index=False)
    file = tmp_path / "loads.yaml"
    data = {"path": "loads.csv", "id": "who", "time": "t", "target": "load", "known": ["hour"], "static": ["size"]}
    small = {"extends": "custom_lstm", "units": 4, "steps": 10, "batch_size": 8}
    file.write_text(yaml.safe_dump({"data": data, "horizon": 4, "models": [small], "backtest": {"windows": 3}}))
    result = run(read_pipeline(file), Project(tmp_path), base=tmp_path, force=True, report=tmp_path / "report.html")
    last = result.forecasts.groupby("unique_id")["ds"].max()
    assert last.to_dict() == {"a": 149, "b": 189}
    assert Store(tmp_path / "models/store").manifest("loads").inputs == {
        "past": ["load", "hour"], "known": ["hour"], "static": ["size"],
    }  # fmt: skip


def test_models_of_one_name_and_models_called_like_a_baseline_or_a_column(finished, tmp_path):
    _, _, definition = finished
    for models, fragment in (
        (["lstm", "lstm"], "two are called 'lstm'"),
        ([{"network": "lstm", "name": "ridge"}], "'ridge' is the name of a baseline"),
        ([{"network": "lstm", "name": "seasonal_naive_336"}], "'seasonal_naive_336' is the name of a baseline"),
        ([{"network": "lstm", "name": "cutoff"}], "'cutoff' is a column of the results"),
        (["lstm", {"network": "lstm", "name": "lstm-lo-80"}], "'lstm-lo-80' is a column of the results"),
        (["transformer"], "'transformer' is neither a file in"),
    ):
        wrong = type(definition).model_validate({**definition.model_dump(), "models": models})
        with pytest.raises(DefinitionError, match=fragment):
            run(wrong, Project(tmp_path))


def test_too_short_data_are_refused_with_what_is_needed(finished, tmp_path):
    _, _, definition = finished
    backtest = definition.backtest.model_copy(update={"windows": 40})
    with pytest.raises(DataError, match=r"40 forecast origins .* need at least \d+ steps"):
        run(definition.model_copy(update={"backtest": backtest}), Project(tmp_path))


def test_a_verdict_is_not_changed_by_replacing_words(finished):
    result, _, _ = finished
    assert replace(result.gate).verdict == result.gate.verdict
