"""`forecaster check`: what it prints, writes and refuses; mostly in this process, since that is quick."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.config import Project, read_pipeline
from forecaster.pipeline.preparation import prepare
from tests.cli.conftest import write_daily
from tests.cli.program import forecaster, here

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


def weekly(weeks, seed=0):
    return np.tile([5.0, 6, 7, 6, 8, 2, 1], weeks) + np.random.default_rng(seed).normal(0, 0.2, 7 * weeks).round(2)


def test_a_file_gives_an_account_and_says_what_was_guessed(check):
    code, out, _ = check(DATA / "sensor_data.csv")
    assert code == 0
    for fragment in (
        "time ds (the only column of dates)", "target temperature (the only column of numbers)",
        "2 gaps, 24 of 19,249 steps missing (0.12%); the longest has 23 steps, 2016-07-08T02:00:00 to",
        "30min (inferred from the time stamps); 99.99% of the steps", "at most 9 in a row",
        "the worst 21.81 at 2016-08-15T17:00:00", "A run with a horizon of", "lookback 672 steps",
    ):  # fmt: skip
        assert fragment in out


def test_several_series_show_the_oddest_and_the_exchange_is_suggested(check):
    code, out, _ = check(DATA / "stock_prices.csv", "--target", "Close")
    assert code == 0
    assert "id Ticker (by its name)" in out and "ignored Open, High, Low, Volume" in out
    assert "holidays of an exchange?" in out and "The oddest series" in out
    code, out, _ = check(DATA / "stock_prices.csv", "--target", "Close", "--freq", "XNYS")
    assert "gaps none" in out and "holidays" not in out


def test_an_ambiguous_target_is_an_error_that_lists_the_candidates(check):
    code, out, error = check(DATA / "stock_prices.csv")
    assert code == 2 and "write --target with one of Open, High, Low, Close, Volume" in error
    assert "Volume numbers, such as 269250800" in out, "the columns are shown all the same"


def write_wide(path, series=30, weeks=20):
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=7 * weeks, freq="D")})
    shops = pd.DataFrame({f"shop {place}": weekly(weeks, place) for place in range(series)})
    pd.concat([days, shops], axis=1).to_csv(path, index=False)
    return path


def test_of_very_many_columns_the_first_are_named_and_the_remedy_is(check, tmp_path):
    code, out, error = check(write_wide(tmp_path / "wide.csv"))
    assert code == 2 and "shop 18, shop 19 and 10 more; where each is a series of its own, write --wide" in error
    assert "shop 18 numbers, such as" in out and "shop 19 numbers" not in out and "and 11 columns more" in out
    assert len(json.loads(check(tmp_path / "wide.csv", "--json")[1])["columns"]) == 31, "programs get all of them"


def test_a_table_with_a_column_a_series_is_checked_and_its_pipeline_says_so(check, tmp_path):
    code, out, _ = check(write_wide(tmp_path / "wide.csv"), "--wide", "--write", tmp_path / "wide.yaml")
    assert code == 0 and "series 30 of 140 steps each" in out and "30 columns, all that are not told otherwise" in out
    data = read_pipeline(tmp_path / "wide.yaml").data
    assert (data.layout, data.time, data.freq) == ("wide", "day", "D")
    assert "target" not in (tmp_path / "wide.yaml").read_text()
    assert "series 30 of 140 steps each" in check(tmp_path / "wide.yaml")[1]
    code, _, error = check(tmp_path / "wide.csv", "--wide", "--target", "shop 1")
    assert code == 2 and "write --time, --known and --ignore only, or leave --wide out" in error


def test_of_a_long_season_a_modest_horizon_is_suggested(check, tmp_path):
    time = np.arange(11 * 720)
    stamps = pd.date_range("2024-01-01", periods=len(time), freq="2min")
    wave = 20 + 3 * np.sin(2 * np.pi * time / 720) + np.random.default_rng(0).normal(0, 0.1, len(time))
    pd.DataFrame({"when": stamps, "v": wave}).to_csv(tmp_path / "minutes.csv", index=False)
    code, out, _ = check(tmp_path / "minutes.csv")
    assert code == 0 and "336 (the shortest season has 720 steps, more than a first run should forecast" in out
    assert "cycles that the calendar does not suggest" not in out


def test_refused_data_show_what_could_be_found_out_before(check, tmp_path):
    path = tmp_path / "text.csv"
    path.write_text("ds,y\n2024-01-01,1\n2024-01-02,abc\n2024-01-03,3\n2024-01-05,3\n")
    code, out, error = check(path)
    assert code == 2 and "row 3, column 'y': 'abc' is not a number" in error
    assert "1 days (2 of 3), 2 days (1 of 3)" in out and "stamps 2024-01-01 to 2024-01-05" in out
    code, out, _ = check(path, "--json")
    told = json.loads(out)
    assert code == 2 and told["ok"] is False and "'abc'" in told["error"] and told["columns"]["y"].startswith("text")


def test_a_time_format_tells_the_column_of_dates_and_a_zone_its_clock(check, tmp_path):
    hours = pd.date_range("2024-03-30", periods=96, freq="h", tz="Europe/Berlin")
    path = tmp_path / "spring.csv"
    pd.DataFrame({"wann": hours.strftime("%d.%m.%y %H:%M"), "load": np.arange(96.0)}).to_csv(path, index=False)
    code, out, _ = check(path, "--time-format", "%d.%m.%y %H:%M", "--zone", "Europe/Berlin")
    assert code == 0 and "time wann (the only column of dates)" in out and "gaps none" in out
    code, _, error = check(path, "--time-format", "%Q")
    assert code == 2 and "write --time with one of wann" in error


def test_no_traceback_in_a_process_of_its_own(tmp_path):
    answer = forecaster("check", tmp_path / "no.csv")
    assert answer.returncode == 2 and "no such file" in answer.stderr.replace("\n", " ")
    assert "Traceback" not in answer.stderr + answer.stdout


def test_cautions_name_the_trouble_and_where(check, tmp_path):
    values = weekly(20)
    values[[40, 60, 80]] = -999
    values[100:130] = 6.0
    _, out, _ = check(write_daily(tmp_path / "sold.csv", values))
    assert "3 of 3 outliers are -999: if that means missing, leave those cells empty" in out
    assert "equal values, the longest of 30 from 2024-04-10" in out
    assert "3 negative values (2.14%), so transform: log and log_return are not possible" in out


@pytest.mark.parametrize(
    ("changes", "spared"), [("", True), (", finish: 0", False), (", strategy: recursive", False)], ids=str
)
def test_what_calibrates_intervals_is_told_where_a_model_spares_it(check, tmp_path, changes, spared):
    write_daily(tmp_path / "sold.csv", weekly(400))
    pipeline = tmp_path / "sold.yaml"
    models = f"models: [{{extends: gru{changes}}}]"
    pipeline.write_text(f"data: {{path: sold.csv, time: day, target: sold}}\nhorizon: 7\n{models}\n")
    code, out, _ = check(pipeline)
    assert code == 0 and "to stop and choose by" in out
    assert ("all over the training part, besides the validation part" in out) == spared
    assert ("left out around what calibrates intervals" in out) == spared


def test_json_is_one_object_with_numbers_and_the_pipeline(check, tmp_path):
    values = weekly(20)
    values[50] = 70.0
    path = write_daily(tmp_path / "sold.csv", values)
    code, out, _ = check(path, "--json")
    told = json.loads(out)
    account = told["account"]
    assert code == 0 and told["ok"] and told["horizon"] == 7 and account["cycles"].keys() == {"7"}
    assert account["outliers"] == 1 and account["worst_outliers"][0]["ds"] == "2024-02-20"
    assert account["worst_outliers"][0]["value"] == 70.0 and account["steps"] == 140
    assert "target: sold" in told["pipeline"]


def test_the_written_pipeline_is_valid_says_why_and_runs(check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_daily(tmp_path / "sold.csv", weekly(30), colour="red", shop="north")
    code, out, _ = check("sold.csv", "--id", "shop", "--write", "first.yaml")
    assert code == 0 and "forecaster run first.yaml" in out
    text = (tmp_path / "first.yaml").read_text()
    for line in (
        "  path: sold.csv",
        "  id: shop",
        "  freq: D  # inferred from the time stamps",
        "horizon: 7  # one of",
        "# models: [simple_rnn, lstm, gru, custom_lstm]",
        "# transform: auto   # or none, log, difference, log_return",
    ):
        assert line in text
    definition = read_pipeline(tmp_path / "first.yaml")
    assert definition.name == "first" and definition.data.ignore == ["colour"] and definition.horizon == 7
    assert prepare(definition, Project(tmp_path), tmp_path).resolved.seasons == (7,)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "gru.yaml").write_text("network: gru\nunits: 4\nsteps: 4\n")
    short = "models: [gru]\nbaselines: [naive]\nbacktest: {windows: 2, step: 7}\nvalidation: 2\n"
    (tmp_path / "first.yaml").write_text(text + short)
    answer = here("backtest", "first.yaml", "--json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    code, out, _ = check("first.yaml")
    assert code == 0 and "A run with a horizon of 7 steps" in out and "Guessed" not in out


def test_write_replaces_nothing_without_force_and_names_the_data_so_that_they_are_found(check, tmp_path):
    target = tmp_path / "pipelines" / "p.yaml"
    path = write_daily(tmp_path / "sold.csv", weekly(20))
    assert check(path, "--write", target)[0] == 0
    before = target.read_text()
    code, _, error = check(path, "--write", target, "--horizon", 3)
    assert code == 2 and "write --force to replace it" in error and target.read_text() == before
    assert check(path, "--write", target, "--horizon", 3, "--force")[0] == 0
    assert read_pipeline(target).horizon == 3 and Path(read_pipeline(target).data.path).is_absolute()
    code, _, error = check(path, "--write", tmp_path / "bad name!.yaml")
    assert code == 2 and "cannot be a name" in error and not (tmp_path / "bad name!.yaml").exists()


def test_hostile_column_names_stay_data_in_the_written_file(check, tmp_path):
    names = {"day": "when: [x", "sold": "y # {no}\ttab: 'q'"}
    frame = pd.read_csv(write_daily(tmp_path / "a.csv", weekly(20))).rename(columns=names)
    frame.to_csv(tmp_path / "b.csv", index=False)
    assert check(tmp_path / "b.csv", "--write", tmp_path / "b.yaml")[0] == 0
    data = read_pipeline(tmp_path / "b.yaml").data
    assert (data.time, data.target) == (names["day"], names["sold"])


def test_whole_number_stamps_get_a_whole_frequency(check, tmp_path):
    pd.DataFrame({"year": np.arange(1900, 1990), "y": np.arange(90) % 7 + 0.5}).to_csv(tmp_path / "y.csv", index=False)
    assert check(tmp_path / "y.csv", "--write", tmp_path / "y.yaml")[0] == 0
    definition = read_pipeline(tmp_path / "y.yaml")
    assert definition.data.freq == 1 and definition.horizon == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("horizon: 7", None),
        ("horizon: 200", "need at least"),
        ("horizon: 7\nmodels: [nothing]", "'nothing' is neither a file in"),
        ("horizon: 7\nbacktest: {windows: 90, step: 7}", "90 forecast origins 7 steps apart"),
        ("horizon: 7\ntransform: log", "log"),
    ],
)
def test_a_pipeline_is_compared_with_its_data(check, tmp_path, change, message):
    values = weekly(30)
    values[5] = 0.0
    write_daily(tmp_path / "sold.csv", values)
    (tmp_path / "models").mkdir()
    (tmp_path / "p.yaml").write_text(f"data: {{path: sold.csv, time: day, target: sold}}\n{change}\n")
    code, out, _ = check(tmp_path / "p.yaml")
    assert "210 steps" in out, "the account is given in any case"
    assert (code, "cannot run" in out) == ((0, False) if message is None else (2, True))
    assert message is None or message in out


@pytest.mark.parametrize(
    ("change", "schedule", "message"),
    [
        ("backtest: {windows: 4}", True, "cannot run: p: backtest.windows is 4 and promote.min_windows 14, so no"),
        ("backtest: {windows: 4}", False, None),
        ("backtest: {windows: 4}\npromote: {min_windows: 4}", True, None),
        ("backtest: {windows: 4}\npromote: {beat: [naive]}", True, None),
        ("", True, "retraining will keep the champion until more data have come: the test part has 7 forecast origins, "
                   "and promote.min_windows wants 14; to decide by fewer, write promote: {min_windows: 7}"),
        ("", False, None),
        ("backtest: {step: 1}", True, None),
    ],
)  # fmt: skip
def test_a_schedule_that_cannot_promote_is_told_of_by_day(check, tmp_path, change, schedule, message):
    write_daily(tmp_path / "sold.csv", weekly(30))
    (tmp_path / "models").mkdir()
    cron = 'schedule: "0 3 * * *"\n' if schedule else ""
    file = tmp_path / "p.yaml"
    file.write_text(
        f"data: {{path: sold.csv, time: day, target: sold}}\nhorizon: 7\nmodels: [{{network: gru}}]\n{cron}{change}\n"
    )
    code, out, _ = check(file)
    assert message in out if message else "min_windows" not in out
    never = message is not None and "cannot run" in message
    assert code == (2 if never else 0)
    if never:
        answer = here("run", file, cwd=tmp_path)
        assert answer.returncode == 2 and "so no challenger could ever be compared" in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    ("reach", "told"),
    [
        ([7, 9], "reach 7 steps beyond the last target; a forecast from there needs 7"),
        ([1, 6], "reach 1 step beyond the last target; a forecast from there needs 7"),
        ([0, 7, 8, 6], "reach the 7 steps beyond the last target that a forecast from there needs in 2 of 4 series; "
                       "less in s0 (0), s3 (6), which are left out of forecasts"),
        ([7, *range(7)], "in 1 of 8 series; less in s1 (0), s2 (1), s3 (2), s4 (3), s5 (4) and 2 more, which"),
    ],
)  # fmt: skip
def test_it_is_said_in_how_many_series_known_covariates_reach_far_enough(check, tmp_path, reach, told):
    parts = []
    for number, steps in enumerate(reach):
        sold = np.concatenate([weekly(30), np.full(steps, np.nan)])
        days = pd.date_range("2024-01-01", periods=len(sold), freq="D")
        parts.append(pd.DataFrame({"shop": f"s{number}", "day": days, "sold": sold, "price": 1.5}))
    pd.concat(parts).to_csv(tmp_path / "sold.csv", index=False)
    columns = ("--id", "shop", "--time", "day", "--target", "sold", "--known", "price", "--horizon", "7")
    code, out, _ = check(tmp_path / "sold.csv", *columns)
    assert code == 0 and told in out


def test_series_that_begin_late_have_no_gaps_in_front_whatever_the_layout(check, tmp_path):
    late = np.where(np.arange(140) < 60, np.nan, weekly(20))
    write_daily(tmp_path / "wide.csv", weekly(20), returned=late)
    (tmp_path / "models").mkdir()
    told = "data: {path: wide.csv, time: day, layout: wide, missing: error}\nhorizon: 7\n"
    (tmp_path / "p.yaml").write_text(told)
    code, out, error = check(tmp_path / "p.yaml")
    assert code == 0, error
    assert "2 of 80 to 140 steps" in out and "gaps none" in out and "of the steps are missing" not in out


def test_a_pipeline_says_its_columns_itself(check, tmp_path):
    write_daily(tmp_path / "sold.csv", weekly(30))
    (tmp_path / "p.yaml").write_text("data: {path: sold.csv, time: day, target: sold}\nhorizon: 7\n")
    code, _, error = check(tmp_path / "p.yaml", "--target", "sold")
    assert code == 2 and "says all of this itself" in error


def test_the_page_is_written_for_files_and_pipelines(check, tmp_path):
    path = write_daily(tmp_path / "sold.csv", weekly(20))
    code, out, _ = check(path, "--html", tmp_path / "out" / "sold.html")
    page = (tmp_path / "out" / "sold.html").read_text()
    assert code == 0 and "sold.html" in out and "Data check" in page and "Cycles: 7 steps" in page
    assert check(ROOT / "pipelines" / "energy_demand.yaml", "--html", tmp_path / "e.html")[0] == 0


def test_the_page_calls_no_more_series_odd_than_there_are(check, tmp_path):
    columns = {f"s{place}": weekly(20, place) for place in range(14)}
    columns["s5"][20] = np.nan
    pd.DataFrame({"day": pd.date_range("2024-01-01", periods=140), **columns}).to_csv(tmp_path / "s.csv", index=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "p.yaml").write_text("data: {path: s.csv, time: day, layout: wide}\nhorizon: 7\n")
    check(tmp_path / "p.yaml", "--html", tmp_path / "p.html")
    assert "12 of 14, the odd one first." in (tmp_path / "p.html").read_text()
