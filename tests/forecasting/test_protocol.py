"""Levels, quantiles and the one shape of a forecast."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecaster import Forecaster, NaiveForecaster, PipelineDefinition, RecurrentForecaster, RidgeForecaster, naive
from forecaster.config.pipeline import LEVELS
from forecaster.errors import DataError, DefinitionError, LevelError
from forecaster.forecasting.protocol import (
    choose_quantiles,
    chosen_levels,
    forecast_frame,
    interval_columns,
    levels_to_quantiles,
)
from forecaster.series import Columns, panel_from_frame
from tests.synthetic import tiny


def two_series():
    table = pd.DataFrame({"unique_id": ["b", "b", "a", "a", "a"], "ds": [7, 8, 1, 2, 3], "y": range(5)})
    return panel_from_frame(table, Columns(id="unique_id"))


def test_levels_become_the_bounds_of_central_intervals_around_the_median():
    assert levels_to_quantiles([80, 95]) == (0.025, 0.1, 0.5, 0.9, 0.975)
    assert levels_to_quantiles([95, 80, 80.0]) == levels_to_quantiles([80, 95])
    assert levels_to_quantiles([]) == (0.5,)
    assert levels_to_quantiles([99.9])[0] == pytest.approx(0.0005)


@pytest.mark.parametrize("level", [0, 100, -5, 120, float("nan"), 99.9999, 99.99999, 0.0001])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(LevelError, match=rf"level {level} is .* from 0\.001 to 99\.999"):
        levels_to_quantiles([80, level])


def test_the_widest_and_the_narrowest_level_have_bounds_of_their_own():
    narrow, wide = LEVELS
    assert levels_to_quantiles([narrow, wide]) == (5e-6, 0.499995, 0.5, 0.500005, 0.999995)


FORECASTERS = {
    "network": lambda horizon=2, **options: RecurrentForecaster(tiny(), horizon, **options),
    "ridge": lambda horizon=2, **options: RidgeForecaster(horizon, **options),
    "naive": lambda horizon=2, **options: NaiveForecaster(naive, horizon, **options),
}


@pytest.mark.parametrize("make", FORECASTERS.values(), ids=FORECASTERS)
@pytest.mark.parametrize("level", [99.9999, 0])
def test_a_level_that_a_pipeline_file_may_not_have_no_forecaster_may_have(make, level):
    with pytest.raises(ValidationError):
        PipelineDefinition(data={"path": "y.csv"}, horizon=2, levels=[level])
    with pytest.raises(LevelError, match="no level of an interval"):
        make(levels=[80, level])


@pytest.mark.parametrize(
    ("levels", "told"), [(80, "list of numbers"), ("80", "list of numbers"), (["80"], "no number")]
)
def test_levels_that_are_no_list_of_numbers_are_refused(levels, told):
    for make in FORECASTERS.values():
        with pytest.raises(LevelError, match=told):
            make(levels=levels)
    with pytest.raises(LevelError, match=told):
        chosen_levels(levels, [80, 95])
    with pytest.raises(LevelError, match=told):
        NaiveForecaster(naive, 2).predict(two_series(), levels)


@pytest.mark.parametrize("make", FORECASTERS.values(), ids=FORECASTERS)
def test_every_forecaster_refuses_counts_that_are_none_and_takes_those_of_numpy(make):
    for horizon in (0, -1, 1.5, "4"):
        with pytest.raises(DefinitionError, match=f"horizon: should be a whole number, at least 1; found {horizon!r}"):
            make(horizon)
    with pytest.raises(DefinitionError, match="season: should be a whole number"):
        make(season=24.0)
    made = make(np.int64(4), season=np.int64(24))
    assert made.horizon == 4 and made.season == 24


@pytest.mark.parametrize("name", ["network", "ridge"])
@pytest.mark.parametrize("argument", ["lookback", "validation", "step"])
def test_what_a_fit_counts_by_is_refused_before_the_fit(name, argument):
    for value in (0, -1, 1.5):
        with pytest.raises(DefinitionError, match=f"{argument}: should be a whole number, at least 1; found {value}"):
            FORECASTERS[name](**{argument: value})


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"devices": 0}, {"transform": "Log"}])
def test_a_network_is_told_nothing_that_a_pipeline_file_could_not_say(wrong):
    [argument] = wrong
    with pytest.raises(DefinitionError, match=f"{argument}: should be"):
        FORECASTERS["network"](**wrong)
    with pytest.raises(ValidationError, match=argument):
        PipelineDefinition(data={"path": "y.csv"}, horizon=2, **wrong)


@pytest.mark.parametrize("name", ["network", "ridge"])
def test_steps_of_another_length_than_those_of_the_fit_are_refused(name):
    hours, days = (
        panel_from_frame(pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=60, freq=freq), "y": np.arange(60.0)}))
        for freq in ("h", "D")
    )
    made = FORECASTERS[name](lookback=8, season=1).fit(hours)
    assert len(made.predict(hours)) == 2
    with pytest.raises(
        DataError, match="was trained on steps of h, the data have steps of D; bring them onto the same"
    ):
        made.predict(days)


def test_untrained_levels_are_refused_with_the_trained_ones_named():
    with pytest.raises(LevelError, match=r"level 90 was not trained; the trained levels are 80, 97\.5"):
        chosen_levels([80, 90], [97.5, 80])
    assert chosen_levels(None, [95, 80]) == [80, 95]


def test_a_level_that_is_asked_for_twice_is_answered_once():
    trained = np.arange(10.0).reshape(1, 2, 5)
    wanted = chosen_levels([80, 80], [80, 95])
    frame = forecast_frame(two_series().select([0]), "m", choose_quantiles(trained, [80, 95], wanted), wanted)
    assert frame[["m-lo-80", "m", "m-hi-80"]].to_numpy().tolist() == [[1, 2, 3], [6, 7, 8]]


def test_names_of_bounds():
    assert interval_columns("m", 80.0) == ("m-lo-80", "m-hi-80")
    assert interval_columns("m", 97.5) == ("m-lo-97.5", "m-hi-97.5")


def test_the_frame_has_a_row_for_each_series_and_step_in_order():
    quantiles = np.arange(2 * 3 * 5, dtype=float).reshape(2, 3, 5)
    frame = forecast_frame(two_series(), "m", quantiles, [95, 80])
    assert list(frame.columns) == ["unique_id", "ds", "cutoff", "m", "m-lo-80", "m-hi-80", "m-lo-95", "m-hi-95"]
    assert frame["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert frame["ds"].tolist() == [4, 5, 6, 9, 10, 11]
    assert frame["cutoff"].tolist() == [3] * 3 + [8] * 3
    assert frame["m"].tolist() == quantiles[:, :, 2].reshape(-1).tolist()
    bounds = frame[["m-lo-95", "m-lo-80", "m", "m-hi-80", "m-hi-95"]]
    assert bounds.to_numpy().tolist() == quantiles.reshape(-1, 5).tolist()


def test_stamps_come_back_in_the_zone_that_they_came_in():
    stamps = pd.date_range("2024-03-30", periods=30, freq="h", tz="Europe/Berlin")
    panel = panel_from_frame(pd.DataFrame({"ds": stamps, "y": range(30)}))
    frame = NaiveForecaster(naive, 2).predict(panel)
    assert frame["ds"].tolist() == list(pd.date_range(stamps[-1], periods=3, freq="h")[1:])
    assert frame["cutoff"].tolist() == [stamps[-1]] * 2


def test_baselines_are_forecasters():
    assert isinstance(NaiveForecaster(naive, 2), Forecaster)
    assert isinstance(RidgeForecaster(2), Forecaster)
