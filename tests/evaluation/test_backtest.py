"""Rolling-origin backtests: nobody looks ahead, and what came stands beside what was forecast."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecaster import NaiveForecaster, RecurrentForecaster, RidgeForecaster, drift, mean, naive, naive2, seasonal_naive
from forecaster.errors import DataError, DefinitionError, ForecasterError
from forecaster.evaluation import backtest, join, leaderboard, roll
from forecaster.series import Columns, cutoffs, panel_from_frame
from tests.evaluation.doubles import Cheater, Recorder
from tests.synthetic import tiny

HORIZON = 4
FORECASTERS = {
    **{
        rule.__name__: lambda rule=rule: NaiveForecaster(rule, HORIZON, season=6)
        for rule in (naive, seasonal_naive, drift, mean, naive2)
    },
    "ridge": lambda: RidgeForecaster(HORIZON, lookback=12, validation=3),
}


def panel_of(series=2, steps=90, integer=False, seed=0, starts=(0, 0), stops=(None, None)):
    """Noisy waves with a past and a known covariate; the known one reaches over the whole panel."""
    generator = np.random.default_rng(seed)
    frames = []
    for number in range(series):
        time = np.arange(steps)
        y = 20 + 5 * np.sin(2 * np.pi * time / 6) + generator.normal(size=steps)
        y[: starts[number]] = np.nan
        y[slice(stops[number], None) if stops[number] else slice(0, 0)] = np.nan
        frames.append(
            pd.DataFrame(
                {
                    "unique_id": f"s{number}",
                    "ds": time + 1000 * number if integer else pd.date_range("2024-01-01", periods=steps, freq="h"),
                    "y": y,
                    "past": y + 1,
                    "known": generator.normal(size=steps),
                }
            )
        )
    return panel_from_frame(pd.concat(frames), Columns(id="unique_id", past=["past"], known=["known"]))


def rows_up_to(frame, panel, ticks):
    """The forecasts that were made at the first cutoffs of each series."""
    last = dict(zip(panel.ids, panel.stamps(ticks), strict=True))
    return frame[frame["cutoff"] <= frame["unique_id"].map(last)].drop(columns="y").reset_index(drop=True)


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("integer", [False, True], ids=["shared clock", "own clocks"])
@pytest.mark.parametrize("kind", FORECASTERS)
def test_no_value_after_a_cutoff_changes_a_forecast_made_at_it(kind, integer, refit):
    panel = panel_of(integer=integer)
    origins = cutoffs(panel, HORIZON, 4, 3)
    before = backtest(FORECASTERS[kind](), panel, windows=4, step=3, refit=refit)
    middle = origins[1]
    values = panel.values.copy()
    for one in range(len(panel)):
        begin = panel.offsets[one] + middle[one] - panel.first[one] + 1
        later = values[begin : panel.ends[one], :2]
        later[:] = np.where(np.arange(len(later))[:, None] % 3 == 0, np.nan, 1e6 * (1 + np.arange(len(later)))[:, None])
    after = backtest(FORECASTERS[kind](), replace(panel, values=values), windows=4, step=3, refit=refit)
    pd.testing.assert_frame_equal(rows_up_to(before, panel, middle), rows_up_to(after, panel, middle))
    assert not before[kind].equals(after[kind])


def test_targets_are_the_horizon_steps_behind_each_cutoff():
    days = pd.date_range("2024-01-01", periods=10, freq="D")
    panel = panel_from_frame(pd.DataFrame({"ds": days, "y": np.arange(10.0)}))
    frame = backtest(Recorder(horizon=3), panel, windows=2, step=2)
    assert list(frame.columns) == ["unique_id", "ds", "cutoff", "y", "recorder"]
    assert frame["y"].tolist() == [5, 6, 7, 7, 8, 9]
    assert frame["recorder"].tolist() == [4, 4, 4, 6, 6, 6]
    assert frame["cutoff"].dt.day.tolist() == [5, 5, 5, 7, 7, 7]
    assert (frame["ds"] - frame["cutoff"]).dt.days.tolist() == [1, 2, 3, 1, 2, 3]


def test_series_with_clocks_of_their_own_are_forecast_from_their_own_ends():
    rows = {"a": range(5, 15), "b": range(100, 107)}
    table = pd.DataFrame([{"unique_id": k, "ds": t, "y": float(t)} for k, times in rows.items() for t in times])
    frame = backtest(Recorder(horizon=2), panel_from_frame(table, Columns(id="unique_id")), windows=2)
    assert frame.groupby("unique_id")["cutoff"].unique().map(list).to_dict() == {"a": [10, 12], "b": [102, 104]}
    assert (frame["y"] == frame["ds"]).all()
    assert (frame["recorder"] == frame["cutoff"]).all()


def test_a_series_takes_part_from_its_first_value_until_nothing_is_left_to_forecast():
    """Cutoffs 9, 12, 15 of 20 steps: s1 begins at 12, s0 ends at 14 (both inclusive)."""
    panel = panel_of(series=2, steps=20, starts=(0, 12), stops=(15, None))
    frame = roll(Recorder(horizon=4), panel, cutoffs(panel, 4, 3, 3))
    taking_part = frame.groupby(frame["cutoff"].dt.hour)["unique_id"].unique().map(list).to_dict()
    assert taking_part == {9: ["s0"], 12: ["s0", "s1"], 15: ["s1"]}
    at_12 = frame[(frame["cutoff"].dt.hour == 12) & (frame["unique_id"] == "s0")]
    assert at_12["y"].notna().tolist() == [True, True, False, False]


def test_a_series_that_has_begun_without_a_value_waits_for_its_first():
    table = pd.DataFrame({"unique_id": ["a"] * 8 + ["b"] * 8, "ds": [*range(8)] * 2, "y": np.arange(16.0)})
    table.loc[8:12, "y"] = np.nan
    panel = panel_from_frame(table, Columns(id="unique_id"), clock="shared")
    frame = roll(Recorder(horizon=2), panel, cutoffs(panel, 2, 3, 1))
    assert frame.groupby("cutoff")["unique_id"].unique().map(list).to_dict() == {3: ["a"], 4: ["a"], 5: ["a", "b"]}
    alone = panel.select([1])
    only = roll(Recorder(horizon=2), alone, np.array([[3], [4], [5]]))
    assert only["cutoff"].unique().tolist() == [5]
    with pytest.raises(DataError, match="before and behind"):
        roll(Recorder(horizon=2), alone, np.array([[1], [2]]))


def test_what_was_not_observed_stays_open_and_does_not_count():
    table = pd.DataFrame({"ds": range(10), "y": [0.0, 1, 2, 3, 4, 5, np.nan, 7, np.nan, 9]})
    frame = backtest(NaiveForecaster(naive, 2), panel_from_frame(table), windows=2)
    assert frame["y"].isna().tolist() == [True, False, True, False]
    assert frame["naive"].tolist() == [5, 5, 7, 7]


def test_without_refit_a_forecaster_is_fitted_once_on_what_comes_before_the_test_part():
    panel, recorder = panel_of(), Recorder(horizon=HORIZON)
    backtest(recorder, panel, windows=3)
    first = cutoffs(panel, HORIZON, 3, HORIZON)[0]
    assert [one.last.tolist() for one in recorder.fitted] == [first.tolist()]


def test_with_refit_it_is_fitted_on_what_it_then_forecasts_from():
    panel, recorder = panel_of(), Recorder(horizon=HORIZON)
    backtest(recorder, panel, windows=3, refit=True)
    assert len(recorder.fitted) == 3
    assert all(fitted is seen for fitted, seen in zip(recorder.fitted, recorder.seen, strict=True))


def test_a_forecaster_is_given_the_known_covariates_of_the_future_and_nothing_else_of_it():
    panel, recorder = panel_of(), Recorder(horizon=HORIZON)
    backtest(recorder, panel, windows=3)
    for seen in (*recorder.fitted, *recorder.seen):
        for one in range(len(seen)):
            future = seen.values[seen.ends[one] : seen.offsets[one + 1]]
            assert len(future) >= HORIZON
            assert np.isnan(future[:, :2]).all()
            assert np.isfinite(future[:, 2]).all()


def test_who_reads_beyond_the_end_of_the_panel_gets_nothing():
    panel = panel_of()
    frame = backtest([Cheater(HORIZON), NaiveForecaster(naive, HORIZON, levels=[])], panel, windows=4)
    assert frame["cheater"].isna().all()
    table = leaderboard(frame, panel.until(cutoffs(panel, HORIZON, 4, HORIZON)[0]))
    assert table["model"].tolist() == ["naive", "cheater"]
    assert not table["significant"].any()


def test_who_changes_the_panel_changes_nothing_for_the_others():
    class Vandal(Recorder):
        def predict(self, panel, levels=None):
            frame = super().predict(panel, levels)
            panel.values[:], panel.ends[:], panel.first[:] = -1, 0, 0
            return frame

    panel = panel_of()
    alone = backtest(Recorder(HORIZON), panel, windows=3)
    both = backtest([Vandal(HORIZON, name="vandal"), Recorder(HORIZON)], panel, windows=3)
    pd.testing.assert_frame_equal(both.drop(columns="vandal"), alone)


def test_steps_shorter_than_the_horizon_forecast_a_value_several_times():
    panel = panel_of()
    frame = backtest(NaiveForecaster(naive, HORIZON), panel, windows=5, step=1)
    assert frame.groupby(["unique_id", "ds"]).size().max() == HORIZON
    assert frame.groupby(["unique_id", "ds"])["y"].nunique().max() == 1


def test_several_forecasters_stand_side_by_side():
    panel = panel_of()
    kinds = [make() for make in FORECASTERS.values()]
    frame = backtest(kinds, panel, windows=3, levels=[80])
    alone = backtest(NaiveForecaster(mean, HORIZON), panel, windows=3, levels=[80])
    pd.testing.assert_frame_equal(frame[alone.columns], alone)
    assert len(frame) == len(panel) * 3 * HORIZON


def test_forecasters_that_cannot_be_compared_are_refused():
    panel = panel_of()
    with pytest.raises(ForecasterError, match="one horizon; found naive: 4, mean: 5"):
        backtest([NaiveForecaster(naive, 4), NaiveForecaster(mean, 5)], panel)
    with pytest.raises(ForecasterError, match="two forecasters are called 'naive'"):
        backtest([NaiveForecaster(naive, 4), NaiveForecaster(naive, 4)], panel)
    with pytest.raises(ForecasterError, match="no forecaster"):
        backtest([], panel)


@pytest.mark.parametrize("value", [0, -2, 1.5, "3"])
@pytest.mark.parametrize("argument", ["windows", "step"])
def test_cutoffs_that_would_lie_behind_the_data_or_nowhere_are_refused_before_a_fit(argument, value):
    """With a step below zero the first cutoff is the last, and the fit would see what it is then judged by."""
    recorder = Recorder(HORIZON)
    with pytest.raises(DefinitionError, match=f"{argument}: should be a whole number, at least 1; found {value!r}"):
        backtest(recorder, panel_of(), **{"windows": 3, argument: value})
    with pytest.raises(DefinitionError, match="horizon: should be a whole number, at least 1; found -4"):
        backtest(Recorder(-HORIZON), panel_of(), windows=3)
    assert not recorder.fitted


class Careless(Recorder):
    """Answers with the wrong rows."""

    def __init__(self, wrong):
        super().__init__(HORIZON, "careless")
        self.wrong = wrong

    def predict(self, panel, levels=None):
        return self.wrong(super().predict(panel, levels))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda frame: frame.iloc[:-1],
        lambda frame: frame.iloc[::-1],
        lambda frame: frame.assign(ds=frame["ds"] + pd.Timedelta(1, "h")),
        lambda frame: frame.assign(ds=range(len(frame))),
        lambda frame: frame[["careless", "unique_id", "ds", "cutoff"]],
        lambda frame: frame.drop(columns="cutoff"),
    ],
)
def test_a_forecast_that_would_be_held_against_the_wrong_values_is_refused(wrong):
    with pytest.raises(ForecasterError, match=r"careless: .* one row for each series and step"):
        backtest(Careless(wrong), panel_of(), windows=2)


def test_backtests_of_different_cutoffs_are_not_joined():
    panel = panel_of()
    one = backtest(NaiveForecaster(naive, HORIZON), panel, windows=2)
    other = backtest(NaiveForecaster(mean, HORIZON), panel, windows=3)
    with pytest.raises(ForecasterError, match="mean are not of the same series and cutoffs as those of naive"):
        join([one, other])
    with pytest.raises(ForecasterError, match="column 'naive'"):
        join([one, one])


def test_a_panel_too_short_for_the_test_part_says_how_much_is_needed():
    with pytest.raises(DataError, match="at least 42 steps"):
        backtest(NaiveForecaster(naive, HORIZON), panel_of(steps=30), windows=10)


def test_who_says_how_far_back_it_reads_is_asked_for_many_cutoffs_at_once_and_says_the_same():
    panel = panel_of(2, 60)
    origins = cutoffs(panel, 3, 9, 2)
    one_by_one = roll(NaiveForecaster(seasonal_naive, 3, 7), panel, origins, levels=[])
    calls = []

    class Reader(NaiveForecaster):
        reads = 7

        def predict(self, panel, levels=None):
            calls.append(panel.lengths.tolist())
            return super().predict(panel, levels)

    at_once = roll(Reader(seasonal_naive, 3, 7), panel, origins, levels=[])
    pd.testing.assert_frame_equal(at_once, one_by_one)
    assert calls == [[7] * 18]


@pytest.fixture(scope="module")
def network():
    """A real network that reads the past and the known covariate and the hour, and the panel that it was fitted on."""
    panel = panel_of(starts=(0, 50)).with_calendar(["hour"])
    panel.values[[20, 21, 70, 110]] = np.nan, 1.0, 0.5
    return RecurrentForecaster(tiny(steps=5), HORIZON, lookback=12, season=6).fit(panel.until(65)), panel


def test_a_network_says_at_once_what_it_says_at_one_cutoff_after_the_other(network):
    forecaster, panel = network
    origins = cutoffs(panel, HORIZON, 40, 1) - 20
    assert forecaster.reads == 12
    at_once = roll(forecaster, panel, origins)
    one_by_one = pd.concat([roll(forecaster, panel, row[None]) for row in origins], ignore_index=True)
    assert at_once.groupby("unique_id")["cutoff"].nunique().to_dict() == {"s0": 40, "s1": 16}
    pd.testing.assert_frame_equal(at_once, one_by_one, rtol=1e-5, atol=1e-5)


def test_of_cutoffs_forecast_at_once_none_sees_what_only_a_later_one_may(network):
    forecaster, panel = network
    origins, border = cutoffs(panel, HORIZON, 20, 1), 75
    values = panel.values.copy()
    ticks = np.arange(len(values)) + np.repeat(panel.first - panel.offsets[:-1], np.diff(panel.offsets))
    later = ticks > panel.first[0] + border
    values[later, :2] += 1e3
    changed = replace(panel, values=values)
    before, after = (roll(forecaster, one, origins).drop(columns="y") for one in (panel, changed))
    seen = before["cutoff"] <= panel.stamps(panel.first[:1] + border)[0]
    assert 0 < seen.sum() < len(seen)
    pd.testing.assert_frame_equal(before[seen], after[seen])
    assert (before.loc[~seen, "custom_lstm"] != after.loc[~seen, "custom_lstm"]).all()
