"""Calendar features in networks and Ridge: they matter, they do not look ahead, and a served network has the same."""

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.evaluation import backtest
from forecaster.forecasting.inputs import Inputs
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.ridge import RidgeForecaster
from forecaster.networks.features import CovariateLevel
from forecaster.networks.frame import ScaleTogether
from forecaster.pipeline.publication import TOLERANCE
from forecaster.series import Columns, panel_from_frame
from forecaster.store import ManifestDraft
from tests.synthetic import seasonal_panel, tiny

CALENDAR = ["hour", "weekday", "holiday:GB"]


def weekly(days=420, zone=None, **columns):
    """Low on Saturdays and Sundays, which the three days before do not tell from one another."""
    stamps = pd.date_range("2023-01-02", periods=days, freq="D")
    free = stamps.day_of_week.to_numpy() >= 5
    noise = np.random.default_rng(4).normal(0, 0.5, days)
    return panel_from_frame(pd.DataFrame({"ds": stamps, "y": 20 - 8 * free + noise, **columns}))


def mean_error(forecaster, panel):
    frame = backtest(forecaster, panel, windows=15, step=4, levels=[80])
    return float((frame["y"] - frame[forecaster.name]).abs().mean())


def network(horizon=2, lookback=3, **changes):
    options = {"units": 8, "steps": 100, "learning_rate": 0.02, "batch_size": 32, **changes}
    return RecurrentForecaster(tiny(**options), horizon, lookback=lookback, season=1)


def test_the_weekday_makes_a_network_with_a_short_lookback_clearly_better():
    plain = weekly()
    without, within = (mean_error(network(), panel) for panel in (plain, plain.with_calendar(["weekday"])))
    assert within < 0.6 * without


def test_it_makes_ridge_better_too():
    plain = weekly()
    ridge = [RidgeForecaster(2, lookback=3, season=1) for _ in range(2)]
    without, within = mean_error(ridge[0], plain), mean_error(ridge[1], plain.with_calendar(["weekday"]))
    assert within < 0.95 * without


def test_a_feature_that_stands_still_in_a_window_reaches_the_network():
    """The window's own mean would turn a month, or a holiday that fills the window, into nothing."""
    window = np.array([[[3.0, 1.0], [5.0, 1.0], [7.0, np.nan]]], np.float32)
    said = np.asarray(ScaleTogether(unscaled=1)(window))[0]
    assert said[:, 0] == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)], abs=1e-6)
    assert said[:, 1].tolist() == [1, 1, 0] and said[:, 3].tolist() == [1, 1, 0]
    assert ScaleTogether.from_config(ScaleTogether(unscaled=1).get_config()).unscaled == 1


def test_a_covariate_is_seen_by_its_level_too():
    """A hot day is one above the mean of all training days, whatever the days before it were like."""
    layer = CovariateLevel()
    layer.build((None, None, 2))
    layer.learn(np.array([[[10.0, 1.0], [20.0, np.nan]], [[30.0, 1.0], [20.0, 1.0]]], np.float32))
    said = np.asarray(layer(np.array([[[30.0, 1.0], [np.nan, 2.0], [1e9, -1e9]]], np.float32)))[0]
    assert said == pytest.approx(np.array([[np.sqrt(2), 0], [0, 1], [5, -5]]), abs=1e-6)


@pytest.fixture(scope="module")
def fitted():
    """A network and Ridge with past, known, static and calendar inputs, and their panel."""
    steps = 200
    generator = np.random.default_rng(1)
    columns = {
        "past_load": generator.normal(size=2 * steps),
        "known_price": generator.normal(size=2 * steps),
        "static_size": np.repeat([1.0, 2.0], steps),
    }
    panel = seasonal_panel(series=2, steps=steps, **columns).with_calendar(CALENDAR)
    options = {"season": 12, "lookback": 24}
    seen = panel.until(120)
    return panel, RecurrentForecaster(tiny(), 6, **options).fit(seen), RidgeForecaster(6, **options).fit(seen)


def test_levels_are_those_of_the_training_part(fitted):
    panel, lstm, _ = fitted
    mean, spread = lstm._network.forecast.get_layer("known_level").get_weights()
    prices = panel.until(120).values[:, panel.known_columns][:, 0]
    assert mean == pytest.approx([np.mean(prices)], abs=0.25) and spread == pytest.approx([np.std(prices)], rel=0.2)


def test_law_1_nothing_behind_a_cutoff_changes_its_forecast(fitted):
    panel, lstm, ridge = fitted
    changed = seasonal_panel(series=2, steps=200, seed=9, past_load=1e6, known_price=0.0, static_size=0.0)
    changed = changed.with_calendar(CALENDAR)
    rows = np.arange(400) % 200
    changed.values[rows <= 150] = panel.values[rows <= 150]
    changed.values[:, 2] = panel.values[:, 2]
    changed.static_values[:] = panel.static_values
    for forecaster in (lstm, ridge):
        before, after = (forecaster.predict(one.until(150)) for one in (panel, changed))
        assert before.equals(after)


def test_law_2_a_served_network_computes_the_same_features_itself(fitted, tmp_path):
    panel, lstm, _ = fitted
    (tmp_path / "served").mkdir()
    lstm.export(tmp_path / "served", tmp_path)
    served = PublishedForecaster.load(tmp_path / "served", draft(panel))
    seen = panel.until(150)
    bare = seen.with_calendar([])
    assert bare.known_inputs == ("known_price",)
    own = lstm.quantiles(seen)
    spread = np.array([np.nanstd(seen.history(series)[-24:]) for series in range(2)])[:, None, None]
    for asked in (seen, bare, seen.with_calendar(["month"])):
        assert (np.abs(served.quantiles(asked) - own) <= TOLERANCE * np.maximum(np.abs(own), spread)).all()
        assert np.array_equal(lstm.quantiles(asked), own)


def draft(panel):
    """What a manifest says of a network on this panel."""
    features = panel.features
    return ManifestDraft(
        definition={}, model="custom_lstm", model_definition={}, inferred={},
        inputs={
            "past": ["y", *panel.past, *panel.known_inputs],
            "known": [*panel.known_inputs],
            "static": [*panel.static],
        },
        calendar={"features": [*features.names], "zone": features.zone, "columns": features.definitions},
        levels=[80, 95], quantiles=[], horizon=6, lookback=24, frequency={"name": panel.calendar.name},
        data={}, scores={}, gate={}, seed=1, versions={},
    )  # fmt: skip


def test_what_a_manifest_records_is_what_was_trained_on(fitted):
    panel, _, _ = fitted
    written = draft(panel)
    assert Inputs.recorded(written.inputs, written.calendar, written.frequency) == Inputs.of(panel)
    assert written.inputs["known"] == [
        "known_price", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "holiday:GB",
    ]  # fmt: skip


def test_other_covariates_than_those_of_training_are_refused(fitted):
    for forecaster in fitted[1:]:
        with pytest.raises(DataError, match=r"trained with the known covariates known_price, hour_sin, .*; declare"):
            forecaster.predict(seasonal_panel(series=2, steps=200))


def test_the_clock_of_training_is_followed_whatever_zone_the_stamps_come_in():
    stamps = pd.date_range("2024-03-01", periods=24 * 40, freq="h", tz="UTC")
    frame = pd.DataFrame({"ds": stamps, "y": stamps.tz_convert("Europe/London").hour * 1.0})
    utc = panel_from_frame(frame)
    london = panel_from_frame(frame, zone="Europe/London").with_calendar(["hour"])
    ridge = RidgeForecaster(3, lookback=6, season=1).fit(london)
    assert ridge.predict(utc)["ridge"].equals(ridge.predict(london)["ridge"])
    naive = panel_from_frame(frame.assign(ds=stamps.tz_localize(None)))
    with pytest.raises(DataError, match="by the clock of Europe/London, but these time stamps have no zone"):
        ridge.predict(naive)


def test_a_known_covariate_that_ends_too_early_names_the_missing_stamps():
    stamps = pd.date_range("2024-01-01", periods=300, freq="h")
    frame = pd.DataFrame({"ds": stamps, "y": np.arange(300) % 12.0, "price": 1.0})
    frame.loc[298:, "y"] = np.nan
    panel = panel_from_frame(frame, Columns(known=["price"])).with_calendar(["hour"])
    ridge = RidgeForecaster(4, lookback=12, season=12).fit(panel)
    told = r"'price' of series 'y' has no value at 2024-01-13T12:00:00, 2024-01-13T13:00:00; .*, to 2024-01-13T13:00:00"
    with pytest.raises(DataError, match=told):
        ridge.predict(panel)
