"""`forecaster check` of columns of words: symbols that are forecast, names of series, and what is neither."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from forecaster.cli.app import app
from forecaster.config import Project, read_pipeline
from forecaster.pipeline.preparation import prepare
from tests.cli.conftest import write_daily

DATA = Path(__file__).parents[2] / "data"


def test_symbols_are_counted_and_not_taken_for_numbers(check, tmp_path):
    write_daily(tmp_path / "codes.csv", ["01", "1", "2.0", "1"] * 30)
    file = tmp_path / "codes.yaml"
    data = f"data: {{kind: symbols, path: {tmp_path}/codes.csv, time: day, target: sold}}\n"
    file.write_text(data + "horizon: 1\nlookback: 6\n", encoding="utf-8")
    code, out, _ = check(file)
    assert code == 0
    assert "most frequent '1' 60, '01' 30, '2.0' 30" in out
    assert not {"mean", "zeros", "outliers", "autocorrelation"} & set(out.replace(",", " ").split())
    told = json.loads(CliRunner().invoke(app, ["check", str(file), "--json"]).stdout)["account"]
    assert told["most_frequent"] == {"1": 60, "01": 30, "2.0": 30}
    assert "lowest" not in told


@pytest.mark.parametrize(("asked", "seen"), [((), True), (("--symbols",), False)])
def test_a_column_of_names_gives_a_pipeline_of_symbols_that_can_be_run(check, tmp_path, asked, seen):
    pages = ["home", "cart", "home", "pay"] * 30
    write_daily(tmp_path / "visits.csv", pages)
    file = tmp_path / "visits.yaml"
    code, out, error = check(tmp_path / "visits.csv", "--target", "sold", *asked, "--write", file)
    assert code == 0, error
    assert ("sold holds names that recur" in out) == seen and "most frequent 'home' 60" in out
    definition = read_pipeline(file)
    assert (definition.symbolic, definition.horizon) == (True, 1)
    text = file.read_text(encoding="utf-8")
    assert "the next symbol" in text and "levels" not in text and "transform" not in text
    prepare(definition, Project(tmp_path), tmp_path)


def test_what_follows_from_the_weekday_names_no_series(check, tmp_path):
    file = tmp_path / "dinners.yaml"
    code, _, error = check(DATA / "generated" / "dinners.csv", "--symbols", "--target", "dinner", "--write", file)
    assert code == 0, error
    definition = read_pipeline(file)
    assert definition.data.id is None and "weekday" in definition.data.ignore
    assert "# models: [simple_rnn, lstm, gru]\n" in file.read_text(encoding="utf-8")
    days = pd.date_range("2024-01-01", periods=14, freq="h").astype(str)
    one_a_day = pd.DataFrame({"day": days, "sold": range(14), "shop": ["north", "south"] * 7})
    one_a_day.to_csv(tmp_path / "shops.csv", index=False)
    assert "id shop (the only column of words)" in check(tmp_path / "shops.csv")[1]


def test_series_that_have_weekdays_of_their_own_are_series(check, tmp_path):
    """Figures that one country publishes on Mondays, another on Thursdays; and series that are called so."""
    weeks = {
        "us": pd.date_range("2024-01-01", periods=30, freq="W-MON"),
        "uk": pd.date_range("2024-01-04", periods=30, freq="W-THU"),
    }
    frame = pd.concat(pd.DataFrame({"country": who, "ds": on, "y": range(30)}) for who, on in weeks.items())
    frame.sort_values("ds").to_csv(tmp_path / "weekly.csv", index=False)
    assert "id country (the only column of words)" in check(tmp_path / "weekly.csv", "--freq", "D")[1]
    days = pd.date_range("2024-01-01", periods=60)
    pd.DataFrame({"unique_id": days.day_name(), "ds": days, "y": range(60)}).to_parquet(tmp_path / "named.parquet")
    said = check(tmp_path / "named.parquet", "--freq", "D", "--time-format", "%d/%m/%Y")[1]
    assert "id unique_id (by its name)" in said


def test_a_refusal_says_that_the_series_were_guessed_and_the_option(check, tmp_path):
    odd = write_daily(tmp_path / "odd.csv", range(40), shop="north")
    odd.write_text(odd.read_text().replace("2024-01-09", "2024-01-09 07:13"))
    code, _, error = check(odd, "--freq", "D")
    told = " ".join(error.split())
    assert code == 2 and "(--freq where a file is checked)" in told
    assert "shop (the only column of words) names the series was a guess: --id and --ignore say otherwise" in told
    assert "guess" not in check(odd, "--freq", "D", "--id", "shop")[2]


def test_what_looks_like_names_may_be_mistakes_in_numbers(check, tmp_path):
    names = write_daily(tmp_path / "names.csv", [f"name {one}" for one in range(40)])
    told = "a column of names that recur is forecast by `kind: symbols`"
    assert told in check(names, "--target", "sold")[2], "each is there once, so it was not guessed"
    assert told in check(write_daily(tmp_path / "all.csv", ["a", "b"] * 20), "--target", "sold", "--numbers")[2]
    assert "kind: symbols" not in check(write_daily(tmp_path / "odd.csv", ["1,5", "2,5"] * 20), "--target", "sold")[2]
    assert "write --target with its name" in check(names, "--symbols")[2]


def test_the_page_of_symbols_says_them(check, tmp_path):
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
        code, out, error = check(tmp_path / f"{name}.yaml", "--html", tmp_path / f"{name}.html")
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8").split("<script")[0]
        assert code == 0, error
        assert "Most frequent" in page and "Outliers" not in page and all(part in page for part in words)
        assert not {"outliers", "mean"} & set(out.split())
