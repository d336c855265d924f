"""What `auto` becomes: log or none, batch size, lookback and segment, each with its reason."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecaster.config import ModelDefinition
from forecaster.forecasting.defaults import resolve
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.ridge import RidgeForecaster
from forecaster.forecasting.scale_of_changes import changes_follow_level, choose_transform
from forecaster.series import Columns, panel_from_frame
from tests.synthetic import seasonal_panel, tiny


def panel_of(*series, freq="h"):
    stamps = pd.date_range("2000-01-01", None, max(map(len, series)), freq)
    frames = [
        pd.DataFrame({"unique_id": f"s{place}", "ds": stamps[: len(one)], "y": one}) for place, one in enumerate(series)
    ]
    return panel_from_frame(pd.concat(frames), Columns("unique_id"), freq=freq)


def grown(power, seed=0, start=100.0):
    """Noise whose size goes with a power of a level that rises hundredfold, in leaps that fall into gaps."""
    level = start * np.exp(np.linspace(0, np.log(100), 12)).repeat(100)
    level[::100] = np.nan
    return level + 0.02 * start * (level / start) ** power * np.random.default_rng(seed).normal(size=1200)


@pytest.mark.parametrize("power", [0.0, 0.3, 0.7, 1.0])
def test_the_power_with_which_changes_grow_is_found_and_decides(power):
    panel = panel_of(grown(power), grown(power, seed=1, start=5.0))
    assert changes_follow_level(panel) == pytest.approx(power, abs=0.1)
    assert choose_transform(panel)[0] == ("log" if power > 0.5 else "none")


@pytest.mark.parametrize(("power", "lookback", "relative"), [(1.0, 48, True), (1.0, 49, False), (0.0, 48, False)])
def test_errors_are_shares_where_a_short_lookback_is_read_on_logarithms(power, lookback, relative):
    found = resolved(panel_of(grown(power)), 4, lookback=lookback, transform="auto")
    assert found.relative == relative
    assert ("shares of the value" in found.reasons.get("errors", "")) == relative


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (grown(1.0) - np.nanmin(grown(1.0)), "not all values are above zero"),
        (np.full(1200, 7.0), "0 stretches of 24 steps without a gap or a standstill, of 20 needed"),
        (grown(1.0)[:100], "4 stretches of 24 steps without a gap"),
        (100 + np.random.default_rng(0).normal(0, 0.1, 1200), "the level is too even, by stretches of 24 steps"),
    ],
)
def test_without_a_reason_for_it_there_is_no_logarithm(values, reason):
    chosen, why = choose_transform(panel_of(values))
    assert chosen == "none" and reason in why


def resolved(panel, horizon=24, **told):
    keys = {"lookback": "auto", "season": "auto", "segment": "auto", "validation": "auto", "step": horizon}
    return resolve(panel, horizon, **{**keys, **told})


@pytest.mark.parametrize(
    ("series", "steps", "horizon", "expected"),
    [(1, 240, 6, 64), (1, 240 * 51, 6, 64), (1, 2_048 * 6, 6, 128), (40, 700, 6, 256), (40, 700, 24, 64)],
)
def test_the_batch_grows_with_the_stretches_in_the_data(series, steps, horizon, expected):
    found = resolved(seasonal_panel(series, steps), horizon, season=12, lookback=24)
    assert found.batch_size == expected
    assert f"{expected} windows ({series * steps // horizon:,} stretches" in found.reasons["batch size"]


def test_a_model_file_that_names_a_batch_size_has_it():
    assert ModelDefinition(network="gru", name="gru").batch_size == "auto"
    panel = seasonal_panel(steps=300)
    forecaster = RecurrentForecaster(tiny(batch_size="auto", steps=1), 6, lookback=24, season=12).fit(panel)
    assert forecaster._filled_in(forecaster.resolved).batch_size == 64
    assert RecurrentForecaster(tiny(batch_size=8), 6)._filled_in(forecaster.resolved).batch_size == 8


def test_hours_see_the_calendars_two_weeks_in_days_where_there_is_room():
    found = resolved(seasonal_panel(8, 3000, season=24))
    assert (found.lookback, found.segment, found.cycle) == (336, 24, 24)
    assert "two of the longest season" in found.reasons["lookback"]


@pytest.mark.parametrize(
    ("seconds", "lookback", "said"),
    [
        (900, 1_344, "two of the longest season"),
        (600, 2_016, "two of the longest season"),
        (300, 2_016, "of 2,016 at most, whole cycles of 2,016)"),
        (60, 1_440, "of 2,016 at most, whole cycles of 1,440)"),
        (30, 2_016, "of 2,016 at most)"),
    ],
)
def test_minutes_see_weeks_too(seconds, lookback, said):
    found = resolved(panel_of(np.random.default_rng(0).normal(size=12_000), freq=f"{seconds}s"))
    assert found.lookback == lookback
    assert said in found.reasons["lookback"]


def test_two_horizons_are_seen_where_they_are_longer_than_any_lookback_for_seasons():
    found = resolved(panel_of(np.random.default_rng(0).normal(size=30_000), freq="60s"), horizon=1_200)
    assert found.reasons["lookback"] == "1440 steps (two horizons, whole cycles of 1,440)"
    found = resolved(panel_of(np.random.default_rng(0).normal(size=30_000), freq="30s"), horizon=1_200)
    assert found.reasons["lookback"] == "2400 steps (two horizons)"


def test_a_short_series_sees_what_training_allows_and_says_so():
    found = resolved(seasonal_panel(1, 400, season=24), 12)
    assert found.lookback == 48
    assert "as much as the training part allows" in found.reasons["lookback"]


@pytest.mark.parametrize(("steps", "cycle", "said"), [(1_524, 1, "not weighed (127 stretches"), (1_548, 24, "4 of 24")])
def test_past_cycles_are_weighed_where_there_are_enough_of_them(steps, cycle, said):
    found = resolved(seasonal_panel(1, steps, season=24), 12, lookback=96)
    assert (found.cycle, found.segment) == (cycle, 24)
    assert said in found.reasons["past cycles"]


def test_the_longer_series_set_the_lookback_and_shorter_ones_are_padded():
    noise = np.random.default_rng(0)
    lengths = [14] * 30 + [40] * 20
    yearly = panel_of(*[50 + noise.normal(size=count).cumsum() for count in lengths], freq="YS")
    assert resolved(yearly, 4).lookback > 14


@pytest.mark.parametrize(("series", "lookback", "share"), [(30, 49, 0.5), (30, 48, 0.0), (29, 49, 0.0)])
def test_windows_are_mixed_where_series_are_many_and_lookbacks_long(series, lookback, share):
    found = resolved(panel_of(*[np.arange(1.0, 200.0)] * series), 4, lookback=lookback)
    assert found.mixing == share
    assert ("30 series" in found.reasons.get("mixtures", "")) == (share > 0)


@pytest.mark.parametrize(("lookback", "freq", "share"), [(96, "h", 0.1), (95, "h", 0.0), (96, "YS", 0.0)])
def test_cycles_are_hidden_where_others_stand_in(lookback, freq, share):
    found = resolved(panel_of(np.arange(1.0, 300.0), freq=freq), 4, lookback=lookback)
    assert found.masking == share
    assert ("4 cycles" in found.reasons.get("masking", "")) == (share > 0)


def test_windows_with_covariates_are_not_mixed():
    assert resolved(seasonal_panel(series=30, known_heat=np.ones(30 * 240)), 4, lookback=49).mixing == 0


@pytest.mark.parametrize(("series", "origins", "looks"), [(1, 1, 1), (1, 7, 7), (3, 7, 21), (10, 9, 90), (10, 10, 0)])
def test_few_forecast_origins_ask_for_caution_and_a_run_says_so(series, origins, looks):
    found = resolved(seasonal_panel(series=series, steps=120), 4, lookback=8, validation=origins)
    assert found.looks == looks
    if looks:
        stretches = "1 stretch" if looks == 1 else f"{looks} stretches"
        assert f"only {stretches} of 4 steps to calibrate them" in found.reasons["caution"]
    else:
        assert "caution" not in found.reasons


def test_origins_whose_targets_overlap_are_fewer_looks():
    assert resolved(seasonal_panel(steps=120), 12, lookback=8, validation=25, step=1).looks == 3


def test_stretches_that_are_spared_are_looks_too_unless_a_fit_may_have_none():
    panel = seasonal_panel(steps=800, season=4)
    found, without = (resolved(panel, 2, lookback=8, validation=20, sparing=sparing) for sparing in (True, False))
    assert found.looks == 20 + 2 * len(found.spared) > 20
    assert without.looks == 20 and without.spared == () and "intervals" not in without.reasons


@pytest.mark.parametrize(
    ("changes", "widened"),
    [({}, True), ({"conformal": True}, False), ({"head": "negative_binomial"}, True), ({"ensemble": 2}, True)],
    ids=["quantiles", "conformal", "counts", "ensemble"],
)
def test_networks_are_widened_where_nothing_else_sees_to_it(changes, widened):
    panel = seasonal_panel(steps=120)
    counts = replace(panel, values=np.round(np.abs(panel.values)))
    made = RecurrentForecaster(tiny(steps=2, **changes), 4, lookback=8, validation=3).fit(counts)
    assert ("caution" in [layer.name for layer in made._network.forecast.layers]) == widened


class TestSupport:
    @pytest.mark.parametrize(
        ("values", "support"),
        [
            (np.arange(120) % 5, "whole"),
            (np.arange(120) % 5 / 2, "nonnegative"),
            (np.arange(120) % 5 - 1, "real"),  # below zero
            (np.arange(120) % 5 + 1, "real"),  # zero is not known to be a floor
            (np.where(np.arange(120) == 60, 0, 7), "real"),  # one zero of 120 may be an accident
        ],
        ids=["counts", "amounts", "below zero", "without zeros", "one zero"],
    )
    def test_zeros_again_and_again_with_nothing_below_are_a_floor(self, values, support):
        found = resolved(panel_of(values.astype(float)), 4)
        assert found.support == support
        assert ("support" in found.reasons) == (support != "real")

    def test_a_run_says_why(self):
        found = resolved(panel_of((np.arange(120) % 5).astype(float)), 4)
        told = "whole numbers from zero on (20% of the fitting part are zeros, none is below): forecasts are rounded"
        assert found.reasons["support"] == told

    def test_missing_values_have_no_say(self):
        values = np.where(np.arange(120) % 7, np.arange(120) % 5, np.nan)
        assert resolved(panel_of(values.astype(float)), 4).support == "whole"

    @pytest.mark.parametrize("strategy", ["direct", "seq2seq", "recursive"])
    @pytest.mark.parametrize(("told", "whole"), [("auto", True), ("real", False)])
    def test_forecasts_of_counts_are_counts_unless_the_model_file_says_otherwise(self, strategy, told, whole):
        panel = panel_of(np.random.default_rng(0).poisson(1.0, 120).astype(float))
        model = tiny("gru", strategy=strategy, support=told, steps=2)
        said = RecurrentForecaster(model, 4, lookback=8, validation=3).fit(panel).quantiles(panel)
        assert ((said >= 0) & (said == np.round(said))).all() == whole
        assert (np.diff(said, axis=2) >= 0).all()

    def test_ridge_keeps_to_it(self):
        panel = panel_of(np.random.default_rng(0).poisson(1.0, 120).astype(float))
        frame = RidgeForecaster(4, lookback=8, validation=3).fit(panel).predict(panel)
        said = frame.filter(like="ridge").to_numpy()
        assert ((said >= 0) & (said == np.round(said))).all()

    @pytest.mark.parametrize("start", [None, "2000-01-06 05:00"], ids=["at the end", "through a gap"])
    def test_so_are_forecasts_through_steps_that_were_not_observed(self, start):
        panel = panel_of(np.random.default_rng(0).poisson(1.0, 120).astype(float))
        made = RecurrentForecaster(tiny("gru", steps=2), 4, lookback=8, validation=3, levels=[80, 95]).fit(panel)
        said = made.predict(panel, start=start).filter(like="gru").to_numpy()
        assert ((said >= 0) & (said == np.round(said))).all()

    @pytest.mark.parametrize("support", ["real", "nonnegative"])
    def test_a_negative_binomial_has_its_own(self, support):
        with pytest.raises(ValueError, match="forecasts whole numbers; leave support out"):
            ModelDefinition(network="gru", head="negative_binomial", support=support)


def test_only_series_that_reach_into_the_validation_part_are_looks():
    old, new = np.sin(np.arange(60.0)), np.sin(np.arange(120.0))
    assert resolved(panel_of(new, *[old] * 9), 4, lookback=8, validation=3).looks == 3
