"""Forecasts from a date behind the last observed value."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from forecaster.errors import DataError
from forecaster.evaluation.backtest import roll
from forecaster.forecasting.gap import begun_at, quantiles_from
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import Columns, panel_from_frame
from tests.synthetic import seasonal_panel, tiny

PROBABILITIES = (0.025, 0.1, 0.5, 0.9, 0.975)


def line(steps=20, **columns):
    """Days of a series that grows by one a day."""
    stamps = pd.date_range("2024-01-01", periods=steps, freq="D")
    frame = pd.DataFrame({"ds": stamps, "y": np.arange(steps, dtype=float), **columns})
    return panel_from_frame(frame, Columns(**{name.split("_")[0]: [name] for name in columns}))


def walk(horizon, probabilities, drift=1.0, sigma=2.0, seen=None):
    """Forecasts of a random walk with a drift, from the last value of each series."""

    def call(panel):
        last = np.array([panel.history(one)[-1] for one in range(len(panel))])
        if seen is not None:
            seen.append(panel)
        steps = np.arange(1, horizon + 1)
        centre = last[:, None] + drift * steps
        return centre[:, :, None] + sigma * np.sqrt(steps)[:, None] * norm.ppf(probabilities)

    return call


def said(panel, start, horizon=3, probabilities=PROBABILITIES, **options):
    return quantiles_from(begun_at(panel, start), walk(horizon, probabilities, **options), probabilities, 10, horizon)


def test_the_median_goes_on_through_any_gap():
    for days, start in enumerate(pd.date_range("2024-01-21", periods=12, freq="D")):
        assert said(line(), start, probabilities=(0.5,))[0, :, 0] == pytest.approx([20 + days, 21 + days, 22 + days])


def test_rows_that_the_first_block_has_are_its_own():
    near, far = said(line(), "2024-01-21"), said(line(), "2024-01-22")
    assert np.allclose(far[0, :2], near[0, 1:])


@pytest.mark.parametrize("gap", [1, 5, 30])
def test_intervals_of_a_random_walk_are_those_of_its_sum(gap):
    """The mixture over paths adds the variance of the gap to that of the block: σ √(gap + k)."""
    panel = line()
    panel.values[:] += 1e4  # far from zero, where log-normal is normal
    start = pd.Timestamp("2024-01-21") + pd.Timedelta(gap, "D")
    found = said(panel, start)[0]
    wanted = 2.0 * np.sqrt(gap + np.arange(1, 4))
    assert (found[:, 3] - found[:, 1]) / 2 / norm.ppf(0.9) == pytest.approx(wanted, rel=0.1)
    assert (found[:, 4] - found[:, 0]) / 2 / norm.ppf(0.975) == pytest.approx(wanted, rel=0.1)
    assert found[:, 2] - 1e4 == pytest.approx(19 + gap + np.arange(1, 4), abs=0.1)


def test_forecasts_above_zero_stay_there():
    panel = line()
    panel.values[:] = 1.0
    grown = quantiles_from(
        begun_at(panel, "2024-03-21"),
        lambda seen: np.exp(np.log(np.maximum([seen.history(one)[-1:] for one in range(len(seen))], 1e-9)))[:, :, None]
        * np.exp(norm.ppf(PROBABILITIES)),
        PROBABILITIES, 10, 1,
    )  # fmt: skip
    assert (grown > 0).all() and (np.diff(grown) > 0).all()


def test_series_that_end_earlier_are_gone_through_and_the_others_are_not(caplog):
    whole = seasonal_panel(series=2)
    panel = whole.select([0, 1])
    panel.values[220:240] = np.nan  # the first series ends twenty hours before the second
    start = whole.stamps(whole.last[:1] + 1)[0]
    seen = []
    begun = begun_at(panel, start)
    assert begun.gaps.tolist() == [20, 0]
    with caplog.at_level(logging.WARNING, "forecaster"):
        quantiles_from(begun, walk(6, PROBABILITIES, seen=seen), PROBABILITIES, 24, 6)
    assert "20 steps before the start were not observed (series 's0', last seen at 2024-01-10 03:00:00)" in caplog.text
    assert [len(one) for one in seen] == [2, 21, 21, 21, 21]
    assert seen[1].lengths.tolist() == [24 + 6] * 21 and seen[-1].lengths.tolist() == [24 + 20] * 21
    assert (seen[-1].stamps(seen[-1].last) == whole.stamps(whole.last[:1])[0]).all()


def test_known_covariates_must_reach_over_the_wanted_rows_and_no_further():
    panel = line(known_open=1.0)
    long = panel_from_frame(
        pd.DataFrame(
            {"ds": pd.date_range("2024-01-01", periods=24), "y": panel.target.tolist() + [np.nan] * 4, "k": 1.0}
        ),
        Columns(known=["k"]),
    )
    seen = []
    quantiles_from(begun_at(long, "2024-01-22"), walk(3, (0.5,), seen=seen), (0.5,), 5, 3)
    ahead = seen[-1]
    assert ahead.lengths.tolist() == [6]
    assert ahead.values[:, 1].tolist() == [1.0] * 9, "five steps of history, one of the gap, three of the horizon"


def test_how_far_known_covariates_must_reach_is_said_before_the_first_stretch():
    seen = []
    told = r"2024-01-21, 2024-01-22, 2024-01-23 and 281 more; .* over the 284 steps behind 2024-01-20, to 2024-10-30: "
    with pytest.raises(DataError, match=told):
        quantiles_from(begun_at(line(known_open=1.0), "2024-10-28"), walk(3, (0.5,), seen=seen), (0.5,), 5, 3)
    assert not seen


@pytest.mark.parametrize(
    ("start", "fragment"),
    [
        ("soon", "'soon' is no time stamp of these data; write it as 2024-01-21 00:00:00"),
        (3, "3 is no time stamp of these data"),
        ("2024-01-25T00:00+02:00", "has an offset from UTC, but the time stamps of the data have none"),
        ("2025-01-25", "lies 370 steps behind the last observed value of series 'y' .*, more than 100 horizons"),
        ("2023-01-25", "no series has an observed target"),
    ],
)
def test_a_start_that_cannot_be(start, fragment):
    with pytest.raises(DataError, match=fragment):
        said(line(), start)


@pytest.mark.parametrize("start", ["2024-03-31 02:00", "2024-10-27 02:00"])
def test_an_hour_that_clocks_skip_or_show_twice_is_asked_for_by_its_offset(start):
    stamps = pd.date_range("2024-03-30", "2024-10-26", freq="h", tz="Europe/Berlin")
    panel = panel_from_frame(pd.DataFrame({"ds": stamps, "y": 1.0}))
    with pytest.raises(DataError, match=r"skip or show twice, .* write it with its offset from UTC, as 2024-"):
        begun_at(panel, start)
    assert begun_at(panel, "2024-10-27T02:00+01:00").start == panel.last[0] + 27


def test_past_covariates_are_refused_where_there_is_a_gap_and_only_there():
    panel = line(past_wind=2.0)
    assert said(panel, "2024-01-21").shape == (1, 3, 5)
    with pytest.raises(DataError, match=r"past_wind would have .* or forecast from the last observed value"):
        said(panel, "2024-01-22")


@pytest.fixture(scope="module")
def fitted():
    model = tiny("gru", strategy="seq2seq")
    return RecurrentForecaster(model, 6, season=12, lookback=24).fit(seasonal_panel(series=2))


def test_a_network_forecasts_from_a_date_and_says_what_it_saw(fitted):
    panel = seasonal_panel(series=2)
    plain = fitted.predict(panel)
    assert fitted.predict(panel, start=plain["ds"][0]).equals(plain)
    frame = fitted.predict(panel, levels=[80], start="2024-01-11T10:00")
    assert list(frame.columns) == ["unique_id", "ds", "cutoff", "gru", "gru-lo-80", "gru-hi-80"]
    assert (frame["cutoff"] == plain["cutoff"][0]).all() and len(frame) == 12
    assert frame["ds"][0] == pd.Timestamp("2024-01-11T10:00") and np.isfinite(frame["gru"]).all()
    assert (frame["gru-hi-80"] - frame["gru-lo-80"]).mean() > (plain["gru-hi-80"] - plain["gru-lo-80"]).mean()


def test_a_backtest_goes_through_what_is_missing_before_an_origin_and_says_so(fitted, caplog):
    """Forty steps, more than the lookback has; and two, less than half a horizon, which the mask tells."""
    whole, panel = seasonal_panel(series=2), seasonal_panel(series=2)
    panel.values[[*range(160, 200), 210, 211]] = np.nan
    origins = panel.first[:1] + np.array([[199], [211]]) + np.zeros(2, int)
    with caplog.at_level(logging.WARNING, "forecaster"):
        rolled = roll(fitted, panel, origins).set_index(["unique_id", "cutoff"])
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and told[0].startswith("40 steps before the start were not observed (series 's0', last seen")
    start, end = whole.stamps(panel.first[0] + np.array([200, 211]))
    gone = fitted.predict(whole.until(panel.first[0] + 159), start=start)
    cutoff = whole.stamps(origins[0, :1])[0]
    assert rolled.loc[("s0", cutoff), "gru"].to_numpy() == pytest.approx(gone["gru"][:6], rel=1e-5)
    assert rolled.loc[("s1", cutoff), "gru"].to_numpy() == pytest.approx(
        fitted.predict(whole.until(origins[0]))["gru"][6:], rel=1e-5
    )
    masked = fitted.predict(panel.until(origins[1]))["gru"][:6]
    assert rolled.loc[("s0", end), "gru"].to_numpy() == pytest.approx(masked, rel=1e-5)
    assert not np.allclose(masked, fitted.predict(panel.until(panel.first[0] + 209), start=end)["gru"][1:7], rtol=1e-4)


@pytest.mark.parametrize("options", [{"past_wind": True}, {"missing": "forward"}, {"missing": "mask"}])
def test_behind_a_silence_as_long_as_the_lookback_is_the_last_level_with_wide_intervals(options, caplog):
    """A frame of nothing lies at 0, and one of copies of the last value has no width."""
    wind = {"past_wind": np.random.default_rng(1).normal(size=240)} if "past_wind" in options else {}
    panel = replace(seasonal_panel(**wind), filling="forward" if options.get("missing") == "forward" else "none")
    model = RecurrentForecaster(tiny("gru"), 6, season=12, lookback=24).fit(panel)
    near = model.predict(panel)
    panel.values[-30:, 0] = np.nan
    with caplog.at_level(logging.WARNING, "forecaster"):
        frame = model.predict(panel)
    assert "30 steps before the start were not observed" in caplog.text
    assert frame["gru"].between(5, 15).all()
    width = frame["gru-hi-95"] - frame["gru-lo-95"]
    assert (width > 0.7 * (near["gru-hi-95"] - near["gru-lo-95"])).all()


@pytest.mark.parametrize("filling", ["none", "forward"])
def test_past_covariates_and_copies_are_read_where_less_than_half_of_the_lookback_is_missing(filling, caplog):
    wind = {"past_wind": np.random.default_rng(1).normal(size=240)} if filling == "none" else {}
    panel = replace(seasonal_panel(**wind), filling=filling)
    model = RecurrentForecaster(tiny("gru"), 6, season=12, lookback=24).fit(panel)
    panel.values[-11:, 0] = np.nan
    assert np.array_equal(model.quantiles(panel), model._said(panel)) and "not observed" not in caplog.text
    panel.values[-12:, 0] = np.nan
    with caplog.at_level(logging.WARNING, "forecaster"):
        assert not np.allclose(model.quantiles(panel), model._said(panel)) and "12 steps" in caplog.text


def test_law_1_past_covariates_behind_the_cutoff_are_not_read_on_the_way_there():
    panel = seasonal_panel(past_wind=np.random.default_rng(1).normal(size=240))
    model = RecurrentForecaster(tiny("gru"), 6, season=12, lookback=24).fit(panel)
    panel.values[170:200, 0] = np.nan
    before = model.predict(panel.until(199))
    panel.values[195:200, 1] += 5.0
    assert not model.predict(panel.until(199)).equals(before), "but those of the gap are"
    panel.values[195:200, 1] -= 5.0
    panel.values[200:, 1] += 5.0
    assert model.predict(panel.until(199))["gru"].to_numpy() == pytest.approx(before["gru"].to_numpy(), rel=1e-6)
    origins = panel.first[:1] + np.array([[199], [210]])
    assert roll(model, panel, origins)["gru"][:6].to_numpy() == pytest.approx(before["gru"].to_numpy(), rel=1e-5)


def test_law_1_nothing_from_the_start_on_is_used(fitted):
    panel = seasonal_panel(series=2)
    stamp = panel.stamps(np.array([200]))[0]
    before = fitted.predict(panel, start=stamp)
    assert before.equals(fitted.predict(panel.until(199)))
    panel.values[[*range(200, 240), *range(440, 480)]] = 1e6
    assert before.equals(fitted.predict(panel, start=stamp))


def published_as(fitted, folder, definition):
    from types import SimpleNamespace

    fitted.export(folder / "served", folder)
    manifest = SimpleNamespace(
        model="gru", horizon=6, lookback=24, levels=[80.0, 95.0], inputs={"past": ["y"], "known": [], "static": []},
        calendar={}, definition=definition, frequency={"name": seasonal_panel().calendar.name}, model_definition={},
        streaming={}, training={}, seed=1,
    )  # fmt: skip
    return PublishedForecaster.load(folder / "served", manifest)


def test_law_2_a_published_version_goes_through_a_gap_to_the_same_numbers(fitted, tmp_path):
    panel, published = seasonal_panel(series=2), published_as(fitted, tmp_path, {})
    ours, theirs = (one.predict(panel, start="2024-01-12") for one in (fitted, published))
    assert ours.iloc[:, :3].equals(theirs.iloc[:, :3])
    assert np.allclose(ours.iloc[:, 3:], theirs.iloc[:, 3:], rtol=1e-5)


@pytest.mark.parametrize("missing", [10, 30])
def test_law_2_it_fills_forward_as_far_as_in_training_whatever_the_panels_own_way(fitted, tmp_path, missing):
    panel, published = seasonal_panel(series=2), published_as(fitted, tmp_path, {"data": {"missing": "forward"}})
    panel.values[-missing:, 0] = np.nan
    expected = fitted.quantiles(replace(panel, filling="forward"))
    assert np.allclose(published.quantiles(panel), expected, rtol=1e-5)
