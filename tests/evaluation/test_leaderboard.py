"""The table that a user reads: who stands where, beside the naive forecast, and how sure that is."""

import numpy as np
import pandas as pd
import pytest

from forecaster import NaiveForecaster, naive, panel_from_frame
from forecaster.errors import DefinitionError, ForecasterError
from forecaster.evaluation import backtest, leaderboard, models_of, scales, score
from forecaster.evaluation.leaderboard import is_naive, kind_of
from forecaster.evaluation.metrics import weighted_quantile_loss
from tests.evaluation.doubles import backtest_frame, fitting_panel
from tests.synthetic import seasonal_panel

PANEL = fitting_panel()


def judged(errors, cutoffs=10, horizon=4, step=None, seed=0, **options):
    """Leaderboard of models whose forecasts miss by noise of the given size."""
    frame = backtest_frame(list(errors), cutoffs=cutoffs, horizon=horizon, step=step, seed=seed, missing=0)
    generator = np.random.default_rng(seed + 1)
    for model, size in errors.items():
        frame[model] = frame["y"] + size * generator.normal(size=len(frame))
    return leaderboard(frame, PANEL, **options).set_index("model")


def test_best_first_and_every_score_beside_the_naive_one():
    table = judged({"naive": 2.0, "lstm": 1.0, "ridge": 1.5, "gru": 4.0, "mean": 3.0})
    assert table.index.tolist() == ["lstm", "ridge", "naive", "mean", "gru"]
    assert table["kind"].to_dict() == {
        "lstm": "network", "ridge": "rival", "naive": "naive", "mean": "naive", "gru": "network",
    }  # fmt: skip
    assert list(table.columns) == [
        "kind", "mase", "smape", "rmse", "coverage-80", "wql", "skill", "seconds", "p", "significant",
    ]  # fmt: skip


@pytest.mark.parametrize(("steps", "freq", "season"), [(11, "MS", 1), (17, "MS", 12), (22, "h", 1), (30, "h", 24)])
def test_the_season_of_mase_falls_back_to_one_where_no_series_is_longer(steps, freq, season):
    """Two origins of two steps leave the fitting part four steps less: 7 and 13 months, 18 and 26 hours."""
    stamps = pd.date_range("2024-01-01", periods=steps, freq=freq)
    panel = panel_from_frame(pd.DataFrame({"ds": stamps, "y": np.random.default_rng(0).normal(5, 1, steps)}))
    frame = backtest(NaiveForecaster(naive, 2), panel, windows=2)
    table = leaderboard(frame, panel)
    assert np.isfinite(table["mase"]).all()
    pd.testing.assert_frame_equal(table, leaderboard(frame, panel, season=season))


@pytest.mark.parametrize("argument", ["season", "overlap"])
def test_a_count_that_is_none_is_refused(argument):
    with pytest.raises(DefinitionError, match=f"{argument}: should be a whole number, at least 1; found 0"):
        judged({"naive": 2.0, "lstm": 1.0}, **{argument: 0})


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_stamps_of_another_unit_are_the_same_cutoffs(unit):
    """As older Parquet files have them; MASE's scale is that of the fitting part."""
    panel = seasonal_panel(steps=400)
    panel.values[300:] *= 5
    frame = backtest([NaiveForecaster(naive, 4)], panel, windows=20)
    other = frame.astype({"ds": f"datetime64[{unit}]", "cutoff": f"datetime64[{unit}]"})
    pd.testing.assert_frame_equal(leaderboard(other, panel), leaderboard(frame, panel))


def test_skill_is_held_against_the_best_naive_forecast():
    table = judged({"naive": 2.0, "lstm": 1.0, "mean": 3.0})
    assert table.at["naive", "skill"] == 0
    assert table.at["lstm", "skill"] == pytest.approx(1 - table.at["lstm", "mase"] / table.at["naive", "mase"])
    assert table.at["mean", "skill"] < 0


def test_a_clear_difference_is_significant_and_noise_is_not():
    table = judged({"naive": 2.0, "lstm": 1.0, "gru": 2.0})
    assert table.at["lstm", "significant"] and table.at["lstm", "p"] < 0.01
    assert not table.at["gru", "significant"]
    assert np.isnan(table.at["naive", "p"]) and not table.at["naive", "significant"]


def test_a_network_must_beat_every_naive_forecast():
    table = judged({"naive": 4.0, "seasonal_naive": 1.0, "lstm": 2.0})
    assert not table.at["lstm", "significant"]
    assert table.at["lstm", "p"] > 0.9


def test_a_network_equal_to_the_naive_forecast_has_skill_0_and_is_not_significant():
    frame = backtest_frame(["naive"], cutoffs=10)
    frame["lstm"] = frame["naive"]
    table = leaderboard(frame, PANEL).set_index("model")
    assert table.at["lstm", "skill"] == 0
    assert table.at["lstm", "p"] == 0.5
    assert not table.at["lstm", "significant"]


def test_several_models_are_corrected_for_being_several():
    alone = judged({"naive": 1.3, "a": 1.0}, cutoffs=5).at["a", "p"]
    frame = backtest_frame(["naive", "a"], cutoffs=5, horizon=4, missing=0)
    generator = np.random.default_rng(1)
    for model, size in {"naive": 1.3, "a": 1.0}.items():
        frame[model] = frame["y"] + size * generator.normal(size=len(frame))
    frame["b"] = frame["c"] = frame["naive"]
    together = leaderboard(frame, PANEL).set_index("model").at["a", "p"]
    assert 0 < alone < 1 / 3
    assert together == pytest.approx(3 * alone)


def test_overlap_is_counted_where_it_is_not_told():
    errors = {"naive": 1.5, "lstm": 1.0}
    counted, told = judged(errors, step=2), judged(errors, step=2, overlap=2)
    pd.testing.assert_frame_equal(counted, told)
    assert counted.at["lstm", "p"] != judged(errors, step=2, overlap=1).at["lstm", "p"]
    pd.testing.assert_frame_equal(judged(errors), judged(errors, overlap=1))


def test_another_metric_ranks_when_told():
    frame = backtest_frame(["naive", "lstm"], cutoffs=3)
    table = leaderboard(frame, PANEL, metrics=["smape"], rank_by="rmse")
    assert list(table.columns[:4]) == ["model", "kind", "rmse", "smape"]
    assert table["rmse"].is_monotonic_increasing
    assert not [column for column in table if column.startswith("coverage")]


@pytest.mark.parametrize(
    "options", [{"metrics": ["maes"]}, {"rank_by": "maes"}, {"rank_by": "coverage"}, {"rank_by": "wql"}]
)
def test_an_unknown_metric_is_refused_by_name(options):
    with pytest.raises(ForecasterError, match="mase, smape, rmse"):
        leaderboard(backtest_frame(["naive"]), PANEL, **options)


def test_scores_are_those_of_score():
    frame = backtest_frame(["naive", "lstm"], cutoffs=3)
    table = leaderboard(frame, PANEL, season=5).set_index("model")
    alone = score(frame, ["naive", "lstm"], ["mase", "smape", "rmse"], scales(PANEL, 5))
    pd.testing.assert_frame_equal(table.loc[alone.index, alone.columns], alone)


def test_a_model_that_leaves_out_what_is_difficult_stands_last_and_wins_nothing():
    frame = backtest_frame(["naive", "shy"], cutoffs=8, missing=0)
    frame["shy"] = frame["y"] + 0.01
    frame.loc[frame["cutoff"] == frame["cutoff"].max(), "shy"] = np.nan
    table = leaderboard(frame, PANEL)
    assert table["model"].tolist() == ["naive", "shy"]
    last = table.iloc[-1]
    assert np.isnan(last["mase"]) and np.isnan(last["skill"]) and not last["significant"] and last["p"] == 1


def test_every_level_that_any_model_has_gets_its_column():
    frame = backtest_frame(["naive", "lstm"], levels=(80, 99.5))
    frame = frame.drop(columns=["naive-lo-99.5", "naive-hi-99.5"])
    table = leaderboard(frame, PANEL).set_index("model")
    assert np.isnan(table.at["naive", "coverage-99.5"])
    assert np.isfinite(table.at["lstm", "coverage-99.5"]) and np.isfinite(table.at["naive", "coverage-80"])
    assert np.isfinite(table.at["lstm", "wql"]) and np.isnan(table.at["naive", "wql"])


def test_the_quantile_loss_is_that_of_all_levels():
    frame = backtest_frame(["naive", "lstm"], levels=(80, 95))
    table = leaderboard(frame, PANEL).set_index("model")
    for model in ("naive", "lstm"):
        assert table.at[model, "wql"] == weighted_quantile_loss(frame, model, [80, 95])


def test_without_intervals_there_is_no_quantile_loss():
    frame = backtest_frame(["naive", "lstm"], levels=())
    assert leaderboard(frame, PANEL)["wql"].isna().all()


def test_a_frame_without_naive_forecasts_has_neither_skill_nor_p():
    table = leaderboard(backtest_frame(["lstm"]), PANEL)
    assert table[["skill", "p"]].isna().all(axis=None) and not table["significant"].any()


def test_series_without_a_scale_leave_mase_open_but_not_the_rest():
    frame = backtest_frame(["naive", "lstm"], series=1, cutoffs=4).assign(unique_id="unknown")
    table = leaderboard(frame, PANEL)
    assert table["mase"].isna().all() and table["rmse"].notna().all() and not table["significant"].any()


@pytest.mark.parametrize(
    ("columns", "models"),
    [
        (["lstm", "lstm-lo-80", "lstm-hi-80"], ["lstm"]),
        (["lstm", "lstm-lo-80x", "lstm-lo-80x-lo-80", "lstm-lo-80x-hi-80"], ["lstm", "lstm-lo-80x"]),
        (["a", "a-lo", "a-lo-lo-90", "a-lo-hi-90"], ["a", "a-lo"]),
        (["a", "a-lo-90", "a-hi-90", "a-lo-80", "a-lo-80-lo-90", "a-lo-80-hi-90"], ["a", "a-lo-80"]),
        (["b-lo-c-hi-d", "b-lo-c-hi-d-lo-97.5", "b-lo-c-hi-d-hi-97.5"], ["b-lo-c-hi-d"]),
        (["lonely-lo-80", "lonely-hi-80"], ["lonely-lo-80", "lonely-hi-80"]),
        (["a", "a-lo-80"], ["a", "a-lo-80"]),
        ([], []),
    ],
)
def test_models_are_told_from_bounds(columns, models):
    assert models_of(pd.DataFrame(columns=["unique_id", "ds", "cutoff", "y", *columns])) == models


def test_which_models_are_naive():
    naive = ["naive", "seasonal_naive", "seasonal_naive_336", "drift", "mean", "naive2"]
    assert all(is_naive(model) for model in naive)
    assert not any(is_naive(model) for model in ["ridge", "lstm", "naive3", "seasonal_naive_of_mine", "my_naive"])
    assert [kind_of(model, ["mean"]) for model in ("mean", "naive", "ridge")] == ["network", "naive", "rival"]
