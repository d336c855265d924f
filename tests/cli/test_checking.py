"""`forecaster check`: what it prints, writes and refuses; mostly in this process, since that is quick."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.cli.console import console, messages
from forecaster.config import Project, read_pipeline
from forecaster.errors import ForecasterError
from forecaster.pipeline.preparation import prepare
from tests.cli.program import forecaster, here

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


@pytest.fixture
def run(monkeypatch):
    """Runs a command in this process: the exit code, what was printed, and the error."""
    monkeypatch.setattr(console, "_width", 120)
    monkeypatch.setattr(messages, "_width", 120)

    def call(*arguments):
        result = CliRunner().invoke(app, ["check", *map(str, arguments)])
        error = result.exception
        if error is not None and not isinstance(error, ForecasterError | SystemExit):
            raise error
        code = error.exit_code if isinstance(error, ForecasterError) else result.exit_code
        return code, " ".join(result.output.split()), str(error)

    return call


def write_daily(path, values, **columns):
    days = pd.date_range("2024-01-01", periods=len(values), freq="D")
    pd.DataFrame({"day": days, "sold": values, **columns}).to_csv(path, index=False)
    return path


def weekly(weeks, seed=0):
    return np.tile([5.0, 6, 7, 6, 8, 2, 1], weeks) + np.random.default_rng(seed).normal(0, 0.2, 7 * weeks).round(2)


def test_a_file_gives_an_account_and_says_what_was_guessed(run):
    code, out, _ = run(DATA / "sensor_data.csv")
    assert code == 0
    for fragment in (
        "time ds (the only column of dates)", "target temperature (the only column of numbers)",
        "2 gaps, 24 of 19,249 steps missing (0.12%); the longest has 23 steps, 2016-07-08T02:00:00 to",
        "30min (inferred from the time stamps); 99.99% of the steps", "at most 9 in a row",
        "the worst 21.81 at 2016-08-15T17:00:00", "A run with a horizon of", "lookback 672 steps",
    ):  # fmt: skip
        assert fragment in out


def test_several_series_show_the_oddest_and_the_exchange_is_suggested(run):
    code, out, _ = run(DATA / "stock_prices.csv", "--target", "Close")
    assert code == 0
    assert "id Ticker (by its name)" in out and "ignored Open, High, Low, Volume" in out
    assert "holidays of an exchange?" in out and "The oddest series" in out
    code, out, _ = run(DATA / "stock_prices.csv", "--target", "Close", "--freq", "XNYS")
    assert "gaps none" in out and "holidays" not in out


def test_an_ambiguous_target_is_an_error_that_lists_the_candidates(run):
    code, out, error = run(DATA / "stock_prices.csv")
    assert code == 2 and "write --target with one of Open, High, Low, Close, Volume" in error
    assert "Volume numbers, such as 269250800" in out, "the columns are shown all the same"


def write_wide(path, series=30, weeks=20):
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=7 * weeks, freq="D")})
    shops = pd.DataFrame({f"shop {place}": weekly(weeks, place) for place in range(series)})
    pd.concat([days, shops], axis=1).to_csv(path, index=False)
    return path


def test_of_very_many_columns_the_first_are_named_and_the_remedy_is(run, tmp_path):
    code, out, error = run(write_wide(tmp_path / "wide.csv"))
    assert code == 2 and "shop 18, shop 19 and 10 more; where each is a series of its own, write --wide" in error
    assert "shop 18 numbers, such as" in out and "shop 19 numbers" not in out and "and 11 columns more" in out
    assert len(json.loads(run(tmp_path / "wide.csv", "--json")[1])["columns"]) == 31, "programs get all of them"


def test_a_table_with_a_column_a_series_is_checked_and_its_pipeline_says_so(run, tmp_path):
    code, out, _ = run(write_wide(tmp_path / "wide.csv"), "--wide", "--write", tmp_path / "wide.yaml")
    assert code == 0 and "series 30 of 140 steps each" in out and "30 columns, all that are not told otherwise" in out
    data = read_pipeline(tmp_path / "wide.yaml").data
    assert (data.layout, data.time, data.freq) == ("wide", "day", "D")
    assert "target" not in (tmp_path / "wide.yaml").read_text()
    assert "series 30 of 140 steps each" in run(tmp_path / "wide.yaml")[1]
    code, _, error = run(tmp_path / "wide.csv", "--wide", "--target", "shop 1")
    assert code == 2 and "write --time, --known and --ignore only, or leave --wide out" in error


def test_of_a_long_season_a_modest_horizon_is_suggested(run, tmp_path):
    time = np.arange(11 * 720)
    stamps = pd.date_range("2024-01-01", periods=len(time), freq="2min")
    wave = 20 + 3 * np.sin(2 * np.pi * time / 720) + np.random.default_rng(0).normal(0, 0.1, len(time))
    pd.DataFrame({"when": stamps, "v": wave}).to_csv(tmp_path / "minutes.csv", index=False)
    code, out, _ = run(tmp_path / "minutes.csv")
    assert code == 0 and "336 (the shortest season has 720 steps, more than a first run should forecast" in out
    assert "cycles that the calendar does not suggest" not in out


def test_refused_data_show_what_could_be_found_out_before(run, tmp_path):
    path = tmp_path / "text.csv"
    path.write_text("ds,y\n2024-01-01,1\n2024-01-02,abc\n2024-01-03,3\n2024-01-05,3\n")
    code, out, error = run(path)
    assert code == 2 and "row 3, column 'y': 'abc' is not a number" in error
    assert "1 days (2 of 3), 2 days (1 of 3)" in out and "stamps 2024-01-01 to 2024-01-05" in out
    code, out, _ = run(path, "--json")
    told = json.loads(out)
    assert code == 2 and told["ok"] is False and "'abc'" in told["error"] and told["columns"]["y"].startswith("text")


def test_a_time_format_tells_the_column_of_dates_and_a_zone_its_clock(run, tmp_path):
    hours = pd.date_range("2024-03-30", periods=96, freq="h", tz="Europe/Berlin")
    path = tmp_path / "spring.csv"
    pd.DataFrame({"wann": hours.strftime("%d.%m.%y %H:%M"), "load": np.arange(96.0)}).to_csv(path, index=False)
    code, out, _ = run(path, "--time-format", "%d.%m.%y %H:%M", "--zone", "Europe/Berlin")
    assert code == 0 and "time wann (the only column of dates)" in out and "gaps none" in out
    code, _, error = run(path, "--time-format", "%Q")
    assert code == 2 and "write --time with one of wann" in error


def test_no_traceback_in_a_process_of_its_own(tmp_path):
    answer = forecaster("check", tmp_path / "no.csv")
    assert answer.returncode == 2 and "no such file" in answer.stderr.replace("\n", " ")
    assert "Traceback" not in answer.stderr + answer.stdout


def test_cautions_name_the_trouble_and_where(run, tmp_path):
    values = weekly(20)
    values[[40, 60, 80]] = -999
    values[100:130] = 6.0
    _, out, _ = run(write_daily(tmp_path / "sold.csv", values))
    assert "3 of 3 outliers are -999: if that means missing, leave those cells empty" in out
    assert "equal values, the longest of 30 from 2024-04-10" in out
    assert "3 negative values (2.14%), so transform: log and log_return are not possible" in out


@pytest.mark.parametrize(
    ("changes", "spared"), [("", True), (", finish: 0", False), (", strategy: recursive", False)], ids=str
)
def test_what_calibrates_intervals_is_told_where_a_model_spares_it(run, tmp_path, changes, spared):
    write_daily(tmp_path / "sold.csv", weekly(400))
    pipeline = tmp_path / "sold.yaml"
    models = f"models: [{{extends: gru{changes}}}]"
    pipeline.write_text(f"data: {{path: sold.csv, time: day, target: sold}}\nhorizon: 7\n{models}\n")
    code, out, _ = run(pipeline)
    assert code == 0 and "to stop and choose by" in out
    assert ("all over the training part, besides the validation part" in out) == spared
    assert ("left out around what calibrates intervals" in out) == spared


def test_json_is_one_object_with_numbers_and_the_pipeline(run, tmp_path):
    values = weekly(20)
    values[50] = 70.0
    path = write_daily(tmp_path / "sold.csv", values)
    code, out, _ = run(path, "--json")
    told = json.loads(out)
    account = told["account"]
    assert code == 0 and told["ok"] and told["horizon"] == 7 and account["cycles"].keys() == {"7"}
    assert account["outliers"] == 1 and account["worst_outliers"][0]["ds"] == "2024-02-20"
    assert account["worst_outliers"][0]["value"] == 70.0 and account["steps"] == 140
    assert "target: sold" in told["pipeline"]


def test_the_written_pipeline_is_valid_says_why_and_runs(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_daily(tmp_path / "sold.csv", weekly(30), colour="red", shop="north")
    code, out, _ = run("sold.csv", "--id", "shop", "--write", "first.yaml")
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
    code, out, _ = run("first.yaml")
    assert code == 0 and "A run with a horizon of 7 steps" in out and "Guessed" not in out


def test_write_replaces_nothing_without_force_and_names_the_data_so_that_they_are_found(run, tmp_path):
    target = tmp_path / "pipelines" / "p.yaml"
    path = write_daily(tmp_path / "sold.csv", weekly(20))
    assert run(path, "--write", target)[0] == 0
    before = target.read_text()
    code, _, error = run(path, "--write", target, "--horizon", 3)
    assert code == 2 and "write --force to replace it" in error and target.read_text() == before
    assert run(path, "--write", target, "--horizon", 3, "--force")[0] == 0
    assert read_pipeline(target).horizon == 3 and Path(read_pipeline(target).data.path).is_absolute()
    code, _, error = run(path, "--write", tmp_path / "bad name!.yaml")
    assert code == 2 and "cannot be a name" in error and not (tmp_path / "bad name!.yaml").exists()


def test_hostile_column_names_stay_data_in_the_written_file(run, tmp_path):
    names = {"day": "when: [x", "sold": "y # {no}\ttab: 'q'"}
    frame = pd.read_csv(write_daily(tmp_path / "a.csv", weekly(20))).rename(columns=names)
    frame.to_csv(tmp_path / "b.csv", index=False)
    assert run(tmp_path / "b.csv", "--write", tmp_path / "b.yaml")[0] == 0
    data = read_pipeline(tmp_path / "b.yaml").data
    assert (data.time, data.target) == (names["day"], names["sold"])


def test_whole_number_stamps_get_a_whole_frequency(run, tmp_path):
    pd.DataFrame({"year": np.arange(1900, 1990), "y": np.arange(90) % 7 + 0.5}).to_csv(tmp_path / "y.csv", index=False)
    assert run(tmp_path / "y.csv", "--write", tmp_path / "y.yaml")[0] == 0
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
def test_a_pipeline_is_compared_with_its_data(run, tmp_path, change, message):
    values = weekly(30)
    values[5] = 0.0
    write_daily(tmp_path / "sold.csv", values)
    (tmp_path / "models").mkdir()
    (tmp_path / "p.yaml").write_text(f"data: {{path: sold.csv, time: day, target: sold}}\n{change}\n")
    code, out, _ = run(tmp_path / "p.yaml")
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
def test_a_schedule_that_cannot_promote_is_told_of_by_day(run, tmp_path, change, schedule, message):
    write_daily(tmp_path / "sold.csv", weekly(30))
    (tmp_path / "models").mkdir()
    cron = 'schedule: "0 3 * * *"\n' if schedule else ""
    file = tmp_path / "p.yaml"
    file.write_text(
        f"data: {{path: sold.csv, time: day, target: sold}}\nhorizon: 7\nmodels: [{{network: gru}}]\n{cron}{change}\n"
    )
    code, out, _ = run(file)
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
def test_it_is_said_in_how_many_series_known_covariates_reach_far_enough(run, tmp_path, reach, told):
    parts = []
    for number, steps in enumerate(reach):
        sold = np.concatenate([weekly(30), np.full(steps, np.nan)])
        days = pd.date_range("2024-01-01", periods=len(sold), freq="D")
        parts.append(pd.DataFrame({"shop": f"s{number}", "day": days, "sold": sold, "price": 1.5}))
    pd.concat(parts).to_csv(tmp_path / "sold.csv", index=False)
    columns = ("--id", "shop", "--time", "day", "--target", "sold", "--known", "price", "--horizon", "7")
    code, out, _ = run(tmp_path / "sold.csv", *columns)
    assert code == 0 and told in out


def test_series_that_begin_late_have_no_gaps_in_front_whatever_the_layout(run, tmp_path):
    late = np.where(np.arange(140) < 60, np.nan, weekly(20))
    write_daily(tmp_path / "wide.csv", weekly(20), returned=late)
    (tmp_path / "models").mkdir()
    told = "data: {path: wide.csv, time: day, layout: wide, missing: error}\nhorizon: 7\n"
    (tmp_path / "p.yaml").write_text(told)
    code, out, error = run(tmp_path / "p.yaml")
    assert code == 0, error
    assert "2 of 80 to 140 steps" in out and "gaps none" in out and "of the steps are missing" not in out


def test_a_pipeline_says_its_columns_itself(run, tmp_path):
    write_daily(tmp_path / "sold.csv", weekly(30))
    (tmp_path / "p.yaml").write_text("data: {path: sold.csv, time: day, target: sold}\nhorizon: 7\n")
    code, _, error = run(tmp_path / "p.yaml", "--target", "sold")
    assert code == 2 and "says all of this itself" in error


def test_the_page_is_written_for_files_and_pipelines(run, tmp_path):
    path = write_daily(tmp_path / "sold.csv", weekly(20))
    code, out, _ = run(path, "--html", tmp_path / "out" / "sold.html")
    page = (tmp_path / "out" / "sold.html").read_text()
    assert code == 0 and "sold.html" in out and "Data check" in page and "Cycles: 7 steps" in page
    assert run(ROOT / "pipelines" / "energy_demand.yaml", "--html", tmp_path / "e.html")[0] == 0


def test_the_page_calls_no_more_series_odd_than_there_are(run, tmp_path):
    columns = {f"s{place}": weekly(20, place) for place in range(14)}
    columns["s5"][20] = np.nan
    pd.DataFrame({"day": pd.date_range("2024-01-01", periods=140), **columns}).to_csv(tmp_path / "s.csv", index=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "p.yaml").write_text("data: {path: s.csv, time: day, layout: wide}\nhorizon: 7\n")
    run(tmp_path / "p.yaml", "--html", tmp_path / "p.html")
    assert "12 of 14, the odd one first." in (tmp_path / "p.html").read_text()


def test_symbols_are_counted_and_not_taken_for_numbers(run, tmp_path):
    write_daily(tmp_path / "codes.csv", ["01", "1", "2.0", "1"] * 30)
    file = tmp_path / "codes.yaml"
    data = f"data: {{kind: symbols, path: {tmp_path}/codes.csv, time: day, target: sold}}\n"
    file.write_text(data + "horizon: 1\nlookback: 6\n", encoding="utf-8")
    code, out, _ = run(file)
    assert code == 0
    assert "most frequent '1' 60, '01' 30, '2.0' 30" in out
    assert not {"mean", "zeros", "outliers", "autocorrelation"} & set(out.replace(",", " ").split())
    told = json.loads(CliRunner().invoke(app, ["check", str(file), "--json"]).stdout)["account"]
    assert told["most_frequent"] == {"1": 60, "01": 30, "2.0": 30}
    assert "lowest" not in told


@pytest.mark.parametrize(("asked", "seen"), [((), True), (("--symbols",), False)])
def test_a_column_of_names_gives_a_pipeline_of_symbols_that_can_be_run(run, tmp_path, asked, seen):
    pages = ["home", "cart", "home", "pay"] * 30
    write_daily(tmp_path / "visits.csv", pages)
    file = tmp_path / "visits.yaml"
    code, out, error = run(tmp_path / "visits.csv", "--target", "sold", *asked, "--write", file)
    assert code == 0, error
    assert ("sold holds names that recur" in out) == seen and "most frequent 'home' 60" in out
    definition = read_pipeline(file)
    assert (definition.symbolic, definition.horizon) == (True, 1)
    text = file.read_text(encoding="utf-8")
    assert "the next symbol" in text and "levels" not in text and "transform" not in text
    prepare(definition, Project(tmp_path), tmp_path)


def test_what_follows_from_the_weekday_names_no_series(run, tmp_path):
    file = tmp_path / "dinners.yaml"
    code, _, error = run(DATA / "generated" / "dinners.csv", "--symbols", "--target", "dinner", "--write", file)
    assert code == 0, error
    definition = read_pipeline(file)
    assert definition.data.id is None and "weekday" in definition.data.ignore
    assert "# models: [simple_rnn, lstm, gru]\n" in file.read_text(encoding="utf-8")
    days = pd.date_range("2024-01-01", periods=14, freq="h").astype(str)
    one_a_day = pd.DataFrame({"day": days, "sold": range(14), "shop": ["north", "south"] * 7})
    one_a_day.to_csv(tmp_path / "shops.csv", index=False)
    assert "id shop (the only column of words)" in run(tmp_path / "shops.csv")[1]


def test_series_that_have_weekdays_of_their_own_are_series(run, tmp_path):
    """Figures that one country publishes on Mondays, another on Thursdays; and series that are called so."""
    weeks = {
        "us": pd.date_range("2024-01-01", periods=30, freq="W-MON"),
        "uk": pd.date_range("2024-01-04", periods=30, freq="W-THU"),
    }
    frame = pd.concat(pd.DataFrame({"country": who, "ds": on, "y": range(30)}) for who, on in weeks.items())
    frame.sort_values("ds").to_csv(tmp_path / "weekly.csv", index=False)
    assert "id country (the only column of words)" in run(tmp_path / "weekly.csv", "--freq", "D")[1]
    days = pd.date_range("2024-01-01", periods=60)
    pd.DataFrame({"unique_id": days.day_name(), "ds": days, "y": range(60)}).to_parquet(tmp_path / "named.parquet")
    said = run(tmp_path / "named.parquet", "--freq", "D", "--time-format", "%d/%m/%Y")[1]
    assert "id unique_id (by its name)" in said


def test_a_refusal_says_that_the_series_were_guessed_and_the_option(run, tmp_path):
    odd = write_daily(tmp_path / "odd.csv", range(40), shop="north")
    odd.write_text(odd.read_text().replace("2024-01-09", "2024-01-09 07:13"))
    code, _, error = run(odd, "--freq", "D")
    told = " ".join(error.split())
    assert code == 2 and "(--freq where a file is checked)" in told
    assert "shop (the only column of words) names the series was a guess: --id and --ignore say otherwise" in told
    assert "guess" not in run(odd, "--freq", "D", "--id", "shop")[2]


def test_what_looks_like_names_may_be_mistakes_in_numbers(run, tmp_path):
    names = write_daily(tmp_path / "names.csv", [f"name {one}" for one in range(40)])
    told = "a column of names that recur is forecast by `kind: symbols`"
    assert told in run(names, "--target", "sold")[2], "each is there once, so it was not guessed"
    assert told in run(write_daily(tmp_path / "all.csv", ["a", "b"] * 20), "--target", "sold", "--numbers")[2]
    assert "kind: symbols" not in run(write_daily(tmp_path / "odd.csv", ["1,5", "2,5"] * 20), "--target", "sold")[2]
    assert "write --target with its name" in run(names, "--symbols")[2]


def test_the_page_of_symbols_says_them(run, tmp_path):
    eaten = [*["soup", "fish", "rice"] * 40, None, "soup"]
    days = pd.date_range("2024-01-01", periods=len(eaten))
    both = [pd.DataFrame({"who": who, "day": days, "ate": eaten}) for who in ("ann", "bob")]
    pd.concat(both).to_csv(tmp_path / "eaten.csv", index=False)
    (tmp_path / "book.txt").write_text("the cat sat on the mat. " * 30, encoding="utf-8")
    for name, data, words in (
        ("eaten", "kind: symbols, path: eaten.csv, id: who, time: day, target: ate",
         ("<dt>rows</dt><dd>244</dd>", "bob, the last symbols", "soup, fish, rice, \N{EN DASH}, soup</pre>")),
        ("book", "source: text, path: book.txt",
         ("<dt>characters</dt><dd>720</dd>", "the cat sat on the mat. </pre>", '<p class="big">11</p>')),
        ("words", "source: text, unit: word, path: book.txt", ("<dt>words</dt><dd>210</dd>",)),
    ):  # fmt: skip
        (tmp_path / f"{name}.yaml").write_text(f"data: {{{data}}}\nhorizon: 1\nlookback: 6\n", encoding="utf-8")
        code, out, error = run(tmp_path / f"{name}.yaml", "--html", tmp_path / f"{name}.html")
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8").split("<script")[0]
        assert code == 0, error
        assert "Most frequent" in page and "Outliers" not in page and all(part in page for part in words)
        assert not {"outliers", "mean"} & set(out.split())
