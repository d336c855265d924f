"""The account of a panel: numbers counted by hand on small series, and what is known of the files in data/."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series import Columns, panel_from_frame, read_csv
from forecaster.series.account import take_account
from forecaster.series.autocorrelation import find_cycles
from forecaster.series.firstlook import column_kinds, head_of, rough_facts
from forecaster.series.guessing import guess_columns
from forecaster.series.outliers import find_outliers
from forecaster.series.stretches import equal_stretches, missing_stretches

DATA = Path(__file__).parents[2] / "data"
NAN = np.nan


def panel_of(*series, freq="D"):
    frames = [
        pd.DataFrame({"unique_id": f"s{n}", "ds": pd.date_range("2024-01-01", periods=len(y), freq=freq), "y": y})
        for n, y in enumerate(series)
    ]
    return panel_from_frame(pd.concat(frames), Columns("unique_id"), freq=freq)


def counted(values):
    return panel_from_frame(pd.DataFrame({"ds": np.arange(len(values)), "y": values}), freq=1)


def test_counts_by_hand():
    account = take_account(panel_of([1.0, NAN, NAN, 0.0, 0.0, -2.5], [7.0, 7.0, 7.0]))
    assert account.lengths.tolist() == [6, 3] and account.observed.tolist() == [4, 3]
    assert account.missing.tolist() == [2, 0]
    assert account.zeros.tolist() == [2, 0] and account.negatives.tolist() == [1, 0]
    assert account.fractions.tolist() == [1, 0] and account.constant.tolist() == [False, True]
    assert account.lowest.tolist() == [-2.5, 7.0] and account.highest.tolist() == [1.0, 7.0]
    assert account.means.tolist() == [-0.375, 7.0]
    assert account.regular.tolist() == [2, 2] and account.regularity == 4 / 5
    assert account.stamp(0, 3) == pd.Timestamp("2024-01-04")
    assert account.trouble().tolist() == [2 / 6, 0.0]


def test_steps_beyond_the_last_target_do_not_count():
    frame = pd.DataFrame(
        {
            "id": ["a"] * 5 + ["b"] * 4,
            "ds": [*pd.date_range("2024-01-01", periods=5), *pd.date_range("2024-01-01", periods=4)],
            "y": [1.0, 2.0, 3.0, NAN, NAN, 4.0, 4.0, NAN, 5.0],
            "plan": np.arange(9.0),
        }
    )
    account = take_account(panel_from_frame(frame, Columns("id", known=["plan"])))
    assert account.lengths.tolist() == [3, 4] and account.missing.tolist() == [0, 1]
    assert account.gaps.series.tolist() == [1] and account.gaps.starts.tolist() == [2]


def test_runs_end_at_the_border_of_two_series():
    values = np.array([NAN, 1, NAN, NAN, NAN, 2, 2, 2, 2])
    gaps = missing_stretches(values, np.array([0, 4, 7, 9]))
    assert [gaps.series.tolist(), gaps.starts.tolist(), gaps.lengths.tolist()] == [[0, 0, 1], [0, 2, 0], [1, 2, 1]]
    runs = equal_stretches(values, np.array([0, 4, 7, 9]))
    assert [runs.series.tolist(), runs.starts.tolist(), runs.lengths.tolist()] == [[1, 2], [1, 0], [2, 2]]
    assert runs.longest_by_series(3).tolist() == [0, 2, 2]
    assert len(runs.at_least(3)) == 0 and runs.at_least(3).longest() is None


def test_single_and_double_spikes_are_outliers_and_nothing_else_is():
    wave = 10 + np.sin(2 * np.pi * np.arange(600) / 24) + np.random.default_rng(0).normal(0, 0.2, 600)
    assert len(find_outliers(wave, np.array([0, 600]))) == 0
    wave[100] += 30
    wave[300:302] -= 30
    found = find_outliers(wave, np.array([0, 600]))
    assert found.steps.tolist() == [100, 300, 301]
    assert found.values[0] == pytest.approx(wave[100]) and abs(found.medians[0] - 10) < 2


def test_the_score_of_an_outlier_by_hand():
    """Of 0, 0, 1, 0, 0, 1, … each 1 lies 1 from the median of its five, each 0 lies 0: the scale is 1."""
    values = np.tile([0.0, 0.0, 1.0], 14)
    values[20] = 8.0
    found = find_outliers(values, np.array([0, 42]))
    assert (found.steps.tolist(), found.medians.tolist(), found.scores.tolist()) == ([20], [0.0], [8.0])
    values[20] = 5.0
    assert len(find_outliers(values, np.array([0, 42]))) == 0, "five scales are not yet too far"


def test_levels_trends_growth_and_ends_are_no_outliers():
    generator = np.random.default_rng(1)
    step = np.repeat([0.0, 50.0], 300) + generator.normal(0, 1, 600)
    grown = np.exp(np.cumsum(generator.normal(0.002, 0.02, 3_000)))
    jump_at_the_end = np.append(generator.normal(0, 1, 598), [40.0, 40.0])
    for values in (step, grown, jump_at_the_end):
        assert len(find_outliers(values, np.array([0, len(values)]))) == 0


def test_a_glitch_in_a_constant_series_is_an_outlier_and_rare_sales_are_not():
    glitch = np.full(200, 5.0)
    glitch[70] = -999.0
    assert find_outliers(glitch, np.array([0, 200])).steps.tolist() == [70]
    sales = np.zeros(200)
    sales[::15] = 4.0
    assert len(find_outliers(sales, np.array([0, 200]))) == 0


def test_outliers_are_found_past_gaps_and_in_the_right_series():
    values = np.random.default_rng(2).normal(0, 1, 300)
    values[[50, 51, 150]] = NAN
    values[52], values[250] = 80.0, -80.0
    found = find_outliers(values, np.array([0, 100, 120, 300]))
    assert found.series.tolist() == [0, 2] and found.steps.tolist() == [52, 130]


def test_short_series_are_not_judged():
    assert len(find_outliers(np.array([0.0, 1, 0, 99, 0, 1, 0]), np.array([0, 7]))) == 0
    assert len(find_outliers(np.array([1.0, 2.0]), np.array([0, 1, 2]))) == 0


@pytest.mark.parametrize("season", [4, 7, 12, 24])
def test_cycles_are_found_amid_noise_and_a_trend(season):
    time = np.arange(30 * season)
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 1, len(time))
        found = find_cycles(counted(3 * np.sin(2 * np.pi * time / season) + 0.05 * time + noise)).found
        assert list(found) == [season]


@pytest.mark.parametrize("kind", ["noise", "walk", "slow"])
def test_no_cycle_is_seen_in_chance(kind):
    for seed in range(8):
        noise = np.random.default_rng(seed).normal(0, 1, 500)
        values = {"noise": noise, "walk": np.cumsum(noise), "slow": pd.Series(noise).ewm(alpha=0.1).mean()}[kind]
        assert find_cycles(counted(np.asarray(values))).found == {}


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.5])
@pytest.mark.parametrize(("steps", "period"), [(3_000, 600), (40_000, 9_000)])
def test_noise_on_a_smooth_curve_is_no_cycle(steps, period, noise):
    """Its neighbours are as high as it is: the correlation at any short lag is near one."""
    wave = 20 + 3 * np.sin(2 * np.pi * np.arange(steps) / period)
    for seed in range(3):
        assert find_cycles(counted(wave + np.random.default_rng(seed).normal(0, noise, steps))).found == {}


def test_an_outlier_hides_no_cycle():
    values = np.tile([5.0, 6, 7, 6, 8, 2, 1], 20) + np.random.default_rng(0).normal(0, 0.2, 140)
    values[50] = 700.0
    assert list(find_cycles(counted(values)).found) == [7]


def test_too_short_or_constant_series_show_no_cycle():
    assert find_cycles(counted([1.0, 2.0, 3.0])).found == {}
    assert find_cycles(counted(np.full(100, 3.0))).found == {}


def test_energy_demand_is_clean_and_has_a_day_and_a_week():
    account = take_account(read_csv(DATA / "energy_demand.csv", target="demand"))
    assert list(account.cycles.found) == [48, 336]
    assert len(account.gaps) == 0 and len(account.outliers) == 0 and not account.fractions.any()
    assert account.regularity == 1.0 and (account.lowest[0], account.highest[0]) == (18_640, 38_777)


def test_sensor_data_have_two_gaps_of_24_steps_together():
    account = take_account(read_csv(DATA / "sensor_data.csv", target="temperature"))
    assert account.missing.sum() == 24 and account.gaps.lengths.tolist() == [1, 23]
    begins = [account.stamp(0, int(step)) for step in account.gaps.starts]
    assert begins == [pd.Timestamp("2016-06-14T13:30"), pd.Timestamp("2016-07-08T02:00")]
    assert account.constants.lengths.max() == 9, "up to nine equal values in a row, says data/README.md"
    worst = account.outliers.scores.argmax()
    assert account.stamp(0, int(account.outliers.steps[worst])) == pd.Timestamp("2016-08-15T17:00")


def test_prices_have_no_outliers_and_no_gaps_on_their_exchange():
    columns = {"id": "Ticker", "time": "Date", "target": "Close", "ignore": ["Open", "High", "Low", "Volume"]}
    account = take_account(read_csv(DATA / "stock_prices.csv", freq="XNYS", **columns))
    assert account.lengths.tolist() == [3270, 2148, 3270, 3270] and account.missing.sum() == 0
    assert len(account.outliers) == 0 and account.cycles.found == {}


HEAD = pd.DataFrame({"when": ["2024-01-01", "2024-01-02"], "shop": ["a", "a"], "sold": [1.0, 2.0], "price": [3.0, 4.0]})


def test_columns_are_guessed_where_there_is_one_candidate_and_the_guess_is_told():
    guess = guess_columns(HEAD.drop(columns="price"), Columns(), [], "f.csv")
    assert (guess.columns.id, guess.columns.time, guess.columns.target) == ("shop", "when", "sold")
    assert list(guess.reasons) == ["time", "id", "target"]
    told = guess_columns(HEAD, Columns("shop", "when", "sold"), ["id", "time", "target"], "f.csv")
    assert told.columns.ignore == ("price",) and list(told.reasons) == ["ignored"]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD, "which column is to be forecast\\? write --target with one of sold, price"),
        (HEAD.assign(city="x")[["when", "shop", "city", "sold"]], "write --id with one of shop, city"),
        (HEAD.assign(seen=HEAD["when"])[["when", "seen", "sold"]], "write --time with one of when, seen"),
        (HEAD[["sold", "price"]], "no column reads as time stamps; write --time with one of sold, price"),
        (HEAD[["when"]], "no column of numbers"),
    ],
)
def test_ambiguous_columns_are_an_error_that_says_what_to_write(head, message):
    with pytest.raises(DataError, match=message):
        guess_columns(head, Columns(), [], "f.csv")


def test_a_word_among_numbers_is_no_id_and_day_first_dates_are_no_target():
    head = pd.DataFrame({"ds": ["2024-01-01", "2024-01-02", "2024-01-03"], "y": ["1", "oops", "3"]})
    assert guess_columns(head, Columns(), [], "f.csv").columns.id is None
    head = pd.DataFrame({"date": ["31/01/2024", "01/02/2024"], "n": [1, 2]})
    guess = guess_columns(head, Columns(), [], "f.csv")
    assert (guess.columns.time, guess.columns.target) == ("date", "n")
    assert "no ISO 8601 dates" in guess.reasons["time"]


def test_whole_numbers_are_a_time_by_name_or_where_they_go_up_evenly():
    for name in ("year", "n"):
        head = pd.DataFrame({name: [2001, 2002, 2003], "load": [5.0, 4.0, 9.0]})
        assert guess_columns(head, Columns(), [], "f.csv").columns.time == name


def test_a_first_look_never_fails(tmp_path):
    assert head_of(tmp_path / "none.csv").empty and head_of(tmp_path).empty
    (tmp_path / "semi.csv").write_text("date;y\n2024-01-01;1,5\n")
    assert head_of(tmp_path / "semi.csv").empty, "the door says what is wrong with it"
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    assert head_of(tmp_path / "bad.csv").empty
    head = pd.DataFrame({"id": ["a", "a", "b"], "t": [1, 3, 2], "y": [1.0, None, 2.0]})
    assert column_kinds(head)["y"] == "numbers, such as 1.0, 1 of the first 3 empty"
    assert rough_facts(head, Columns("id", "t"))["steps"] == "2 (1 of 1)"
    assert rough_facts(head, Columns("no", "t")) == {}
