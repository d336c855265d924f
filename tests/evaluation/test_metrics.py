"""Scores against utilsforecast and scikit-learn, which know nothing of this program, and at the boundaries."""

import numpy as np
import pandas as pd
import pytest
import utilsforecast.losses as other
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from forecaster.evaluation import METRICS, coverage, definitions, losses, scales, score
from forecaster.evaluation.metrics import score_one, weighted_quantile_loss
from forecaster.series import Columns, panel_from_frame
from tests.evaluation.doubles import backtest_frame, fitting_panel

MODELS = ["a", "b"]


def each_forecast_a_series(frame, train):
    """The observed rows with `id|cutoff` for a name, as utilsforecast averages over a series at once."""
    frame = frame.dropna(subset="y")
    frame = frame.assign(series=frame["unique_id"], unique_id=frame["unique_id"] + "|" + frame["cutoff"].astype(str))
    owners = frame[["unique_id", "series"]].drop_duplicates()
    copies = owners.merge(train.rename(columns={"unique_id": "series"}), on="series")
    return frame.drop(columns="cutoff"), copies[["unique_id", "ds", "y"]]


def mean_over_forecasts_then_series(table):
    series = table["unique_id"].str.partition("|")[0]
    return table.drop(columns="unique_id").groupby(series).mean()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("season", [1, 5])
def test_scores_are_those_of_utilsforecast(seed, season):
    frame, panel = backtest_frame(MODELS, series=4, cutoffs=3, seed=seed), fitting_panel(series=4)
    ours = score(frame, MODELS, ["mase", "smape", "rmse"], scales(panel, season))
    rows, train = each_forecast_a_series(frame, panel.frame())
    mase = other.mase(rows, MODELS, season, train).rename_axis(None)
    smape = other.smape(rows, MODELS)
    mse = mean_over_forecasts_then_series(other.mse(rows, MODELS))
    for model in MODELS:
        assert ours.at[model, "mase"] == pytest.approx(mean_over_forecasts_then_series(mase)[model].mean())
        assert ours.at[model, "smape"] == pytest.approx(200 * mean_over_forecasts_then_series(smape)[model].mean())
        assert ours.at[model, "rmse"] == pytest.approx(np.sqrt(mse[model]).mean())


@pytest.mark.parametrize("level", [50, 80])
def test_coverage_is_that_of_utilsforecast(level):
    frame = backtest_frame(MODELS, series=4, cutoffs=3, levels=(50, 80))
    rows, _ = each_forecast_a_series(frame, fitting_panel(series=4).frame())
    theirs = mean_over_forecasts_then_series(other.coverage(rows, MODELS, level)).mean()
    for model in MODELS:
        assert 0 < theirs[model] < 1
        assert coverage(frame, model, level) == pytest.approx(theirs[model])


def test_one_complete_series_is_scored_as_by_scikit_learn():
    frame, panel = backtest_frame(["a"], series=1, missing=0, horizon=20), fitting_panel(series=1, missing=0)
    history = panel.history(0)
    ours = score(frame, ["a"], ["mase", "rmse"], scales(panel, 3)).loc["a"]
    error = mean_absolute_error(frame["y"], frame["a"])
    assert ours["mase"] == pytest.approx(error / mean_absolute_error(history[3:], history[:-3]))
    assert ours["rmse"] == pytest.approx(root_mean_squared_error(frame["y"], frame["a"]))


def small(y, forecast, **columns):
    return pd.DataFrame({"unique_id": "s", "ds": range(1, len(y) + 1), "cutoff": 0, "y": y, "m": forecast, **columns})


def one(frame, metric, scale=1.0):
    return score_one(frame, "m", METRICS[metric], pd.Series({"s": scale}))


def test_the_metrics_by_hand():
    frame = small([1.0, 2.0, np.nan, -4.0], [2.0, 2.0, 7.0, 4.0])
    assert one(frame, "mase", scale=2.0) == pytest.approx((1 + 0 + 8) / 3 / 2)
    assert one(frame, "smape") == pytest.approx((200 / 3 + 0 + 200) / 3)
    assert one(frame, "rmse") == pytest.approx(np.sqrt((1 + 0 + 64) / 3))


def test_smape_of_zero_against_zero_is_zero_as_in_no_error_at_all():
    assert one(small([0.0, 0.0], [0.0, 0.0]), "smape") == 0
    assert one(small([0.0, 1.0], [0.0, 0.0]), "smape") == 100


def test_smape_sees_tiny_values_as_any_others():
    assert one(small([1e-300], [3e-300]), "smape") == pytest.approx(100)


def test_bounds_belong_to_their_interval():
    bounds = {"m-lo-80": [1.0, 1.0, 1.0], "m-hi-80": [2.0, 2.0, 2.0]}
    assert coverage(small([1.0, 2.0, 2.1], [1.5] * 3, **bounds), "m", 80) == pytest.approx(2 / 3)


def test_scale_is_the_in_sample_seasonal_error_over_pairs_that_are_both_observed():
    panel = panel_from_frame(pd.DataFrame({"ds": range(6), "y": [1.0, 5.0, np.nan, 9.0, 4.0, 6.0]}))
    assert scales(panel, 1).tolist() == pytest.approx([(4 + 5 + 2) / 3])
    assert scales(panel, 2).tolist() == pytest.approx([(4 + 3) / 2])


def test_a_constant_or_too_short_series_has_no_scale_and_is_left_out_of_mase_only():
    stamps = [*range(8), *range(8), 0, 1]
    table = pd.DataFrame({"unique_id": ["c"] * 8 + ["s"] * 8 + ["t"] * 2, "ds": stamps})
    table["y"] = [0.1] * 8 + [1.0, 2.0] * 4 + [1.0, 2.0]
    scale = scales(panel_from_frame(table, Columns(id="unique_id")), 3)
    assert scale.isna().to_dict() == {"c": True, "s": False, "t": True}
    frame = pd.concat([small([1.0], [3.0]), small([1.0], [9.0]).assign(unique_id="c")], ignore_index=True)
    assert losses(frame, "m", METRICS["mase"], scale).index.tolist() == [("s", 0)]
    assert score_one(frame, "m", METRICS["mase"], scale) == pytest.approx(2.0)
    assert score_one(frame, "m", METRICS["rmse"], scale) == pytest.approx((2 + 8) / 2)


def test_a_series_that_the_fitting_part_does_not_know_is_left_out_of_mase_only():
    frame = pd.concat([small([1.0], [3.0]), small([1.0], [9.0]).assign(unique_id="new")], ignore_index=True)
    assert one(frame, "mase") == pytest.approx(2.0)
    assert one(frame, "rmse") == pytest.approx((2 + 8) / 2)


def test_a_forecast_without_any_observed_value_does_not_count():
    frame = pd.concat(
        [small([1.0, 3.0], [2.0, 2.0]), small([np.nan, np.nan], [2.0, 2.0]).assign(cutoff=2)], ignore_index=True
    )
    assert losses(frame, "m", METRICS["rmse"], pd.Series({"s": 1.0})).index.tolist() == [("s", 0)]
    assert one(frame, "rmse") == pytest.approx(1.0)
    assert np.isnan(one(frame[frame["cutoff"] == 2], "rmse"))


def test_a_missing_forecast_spoils_the_score_instead_of_being_passed_over():
    frame = small([1.0, 2.0], [1.0, np.nan], **{"m-lo-80": [0.0, np.nan], "m-hi-80": [3.0, np.nan]})
    for metric in METRICS:
        assert np.isnan(one(frame, metric))
    assert np.isnan(coverage(frame, "m", 80))


def test_a_missing_forecast_of_what_was_not_observed_does_no_harm():
    assert one(small([1.0, np.nan], [2.0, np.nan]), "rmse") == pytest.approx(1.0)


def test_every_series_weighs_the_same_however_many_cutoffs_it_has():
    once = small([0.0], [4.0])
    often = [small([0.0], [1.0]).assign(unique_id="t", cutoff=cutoff) for cutoff in range(3)]
    frame = pd.concat([once, *often], ignore_index=True)
    assert score_one(frame, "m", METRICS["mase"], pd.Series({"s": 1.0, "t": 1.0})) == pytest.approx((4 + 1) / 2)


@pytest.mark.parametrize(
    "as_stamps",
    [lambda n: n, lambda n: pd.to_datetime(n, unit="D"), lambda n: pd.to_datetime(n, unit="D", utc=True)],
    ids=["numbers", "dates", "zone"],
)
def test_whole_numbers_dates_and_zones_serve_as_cutoffs(as_stamps):
    frame = small([1.0, 2.0], [2.0, 4.0])
    frame = frame.assign(ds=as_stamps(frame["ds"]), cutoff=as_stamps(frame["cutoff"]))
    assert losses(frame, "m", METRICS["mase"], pd.Series({"s": 1.0})).tolist() == [1.5]


def test_the_order_and_the_index_of_the_rows_do_not_matter():
    frame, scale = backtest_frame(MODELS, cutoffs=3), scales(fitting_panel(), 1)
    shuffled = frame.sample(frac=1, random_state=1).set_axis([0] * len(frame))
    scores = [score(rows, MODELS, list(METRICS), scale) for rows in (frame, shuffled)]
    pd.testing.assert_frame_equal(*scores)


def test_definitions_say_the_season():
    said = definitions(48)
    assert "season 48" in said["mase"]
    assert set(said) == {*METRICS, "coverage", "wql", "skill"}


def test_the_weighted_quantile_loss_by_hand():
    """Σ |y| is 30, the missing row does not count; absolute errors 2 + 4, and bounds 10 away on either side."""
    y, median = np.array([10.0, 20.0, np.nan]), np.array([12.0, 16.0, 5.0])
    frame = pd.DataFrame({"y": y, "m": median, "m-lo-80": median - 10, "m-hi-80": median + 10})
    lower, upper = 2 * 0.1 * (8 + 14) / 30, 2 * 0.1 * (12 + 6) / 30
    assert weighted_quantile_loss(frame, "m", []) == pytest.approx((2 + 4) / 30)
    assert weighted_quantile_loss(frame, "m", [80]) == pytest.approx(np.mean([6 / 30, lower, upper]))


@pytest.mark.parametrize("y", [0.0, np.nan])
def test_where_all_is_zero_or_nothing_observed_there_is_no_weighted_quantile_loss(y):
    assert np.isnan(weighted_quantile_loss(pd.DataFrame({"y": [y, y], "m": [1.0, 2.0]}), "m", []))
