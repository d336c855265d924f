"""The page as text: its sections, what it says of each model, and that no data can break out of its place."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import ForecasterError
from forecaster.reporting import render, write_report
from forecaster.reporting.leaderboard import leaderboard_table

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=window.hacked=1>\"'&<b>"
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """Elements with their attributes and text; fails on elements that are not properly nested."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.stack, self.elements, self.words = [], [], []
        self.feed(source)
        assert self.stack == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if "script" not in self.stack and "style" not in self.stack:
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(make):
    return Page(render(make()))


def test_every_section_is_there_and_in_the_contents(page):
    ids = [section["id"] for section in page.all("section")]
    assert ids == [
        "verdict",
        "leaderboard",
        "forecasts",
        "steps",
        "training",
        "data",
        "facts",
        "metrics",
        "definition",
    ]
    links = [link["href"] for link in page.all("a")]
    assert all(f"#{name}" in links for name in ids)


def test_links_stay_inside_the_page_and_lead_somewhere(page):
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= ids


def test_nothing_is_loaded_from_elsewhere(page):
    loading = [a[key] for _, a in page.elements for key in ("src", "srcset", "action", "data", "poster") if key in a]
    assert loading == []
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert "default-src 'none'" in next(m["content"] for m in page.all("meta") if "http-equiv" in m)


def test_tables_and_plots_speak_to_a_screen_reader(page):
    assert {header["scope"] for header in page.all("th")} == {"col", "row"}
    plots = [box for box in page.all("div") if box.get("class") == "canvas"]
    assert len(plots) == 1 + 1 + 4 + 1
    assert all(box["role"] == "img" and box["aria-label"] for box in plots)


def test_definition_facts_and_versions_are_shown_word_for_word(page):
    for words in (
        "lookback: 336",
        "21 values in 2 gaps",
        "48 and 336, from the frequency",
        "3.15.1",
        "version 3",
    ):
        assert words in page.text


def row_of(content, model):
    rows = re.findall(r"<tr class=.*?</tr>", leaderboard_table(content))
    return next(row for row in rows if f'<span class="name">{model}</span>' in row)


def test_network_that_loses_to_naive_is_marked_as_such(make):
    content = make()
    assert "does not beat the naive forecast" in row_of(content, "simple_rnn")
    assert "beats the naive forecasts" in row_of(content, "custom_lstm")
    assert "not significantly" in row_of(content, "gru")


def test_flag_that_is_missing_is_not_a_yes(make):
    content = make()
    flags = content.leaderboard[["published", "significant"]].astype(object)
    flags.loc[3:] = np.nan
    content = make(leaderboard=content.leaderboard.assign(**flags))
    assert leaderboard_table(content).count("chip published") == 1
    assert "not significantly" in row_of(content, "gru")


def test_naive_rows_are_marked_and_none_is_left_out(make):
    board = leaderboard_table(make())
    assert board.count('<tr class="naive">') == 5


def test_network_equal_to_the_best_naive_does_not_beat_it(make):
    content = make()
    content.leaderboard.loc[content.leaderboard["model"] == "lstm", "skill"] = 0.0
    assert "does not beat the naive forecast" in row_of(content, "lstm")


def test_lowest_error_of_each_metric_is_marked(make):
    content = make()
    content.leaderboard.loc[content.leaderboard["model"] == "ridge", "rmse"] = 1.0
    assert "<strong>1.000</strong>" in row_of(content, "ridge")
    assert row_of(content, "custom_lstm").count("<strong>") == 3


def test_column_that_the_report_does_not_know_is_shown_as_it_is(make):
    content = make()
    board = content.leaderboard.assign(elegance=0.5, note="see below")
    table = leaderboard_table(make(leaderboard=board))
    assert "elegance" in table
    assert "see below" in table


def test_series_that_networks_knew_little_of_have_a_table_of_their_own(make):
    kinds = {"kind": ["as long as the lookback", "not in training"], "series": [6, 2], "forecasts": [84, 3]}
    apart = pd.DataFrame({**kinds, "metric": "smape", "gru": [2.377, 6.735], "<naive>": [3.057, float("nan")]})
    page = render(make(apart=apart))
    assert "sMAPE of series by what networks knew of them" in page and "not in training" in page
    assert "&lt;naive&gt;" in page and "<naive>" not in page and "6.735" in page
    assert "what networks knew of them" not in render(make())


def test_unpublished_run_says_so(make):
    assert "Nothing was published by this run." in Page(render(make(published=None))).text


def test_run_without_networks_forecasts_or_levels_is_still_a_page(make):
    frame = pd.DataFrame(columns=["unique_id", "ds", "cutoff", "y"])
    naive = make(kinds={"naive": "naive", "mean": "naive"}, forecasts=frame, parts={}, facts={}, published=None)
    text = Page(render(naive)).text
    assert "No network was trained in this run." in text
    assert "no backtest forecasts" in text


def test_forty_series_are_thinned_and_the_page_says_so(make):
    page = Page(render(make(tuple(f"s{i}" for i in range(40)), integer=True, horizon=2, origins=2, steps=200)))
    assert "Drawn: 12 of 40 series, spread evenly." in page.text
    assert "24 of 80 origins, from 12 of 40 series, spread evenly." in page.text


def test_error_of_a_single_step_is_a_table_not_a_plot(make):
    page = Page(render(make(horizon=1, origins=3, steps=200)))
    assert "plot-steps" not in [box.get("id") for box in page.all("div")]


def test_hostile_text_cannot_leave_its_place(make):
    kinds = {HOSTILE: "network", "naive": "naive"}
    curve = pd.DataFrame({"step": [1, 2], "training": [2.0, 1.0], "validation": [np.nan, 1.5]})
    changes = {"title": HOSTILE, "verdict": HOSTILE, "definition": HOSTILE, "curves": {HOSTILE: curve}}
    changes |= {name: {HOSTILE: HOSTILE} for name in ("facts", "inferred", "metric_definitions", "versions")}
    noise = make((HOSTILE,), kinds={"lstm": "network", "naive": "naive"}, horizon=2, origins=2, steps=100)
    renamed = {name: name.replace("lstm", HOSTILE) for name in noise.forecasts}
    content = make(
        kinds={"lstm": "network", "naive": "naive"},
        history=noise.history,
        forecasts=noise.forecasts.rename(columns=renamed),
        leaderboard=noise.leaderboard.assign(model=list(kinds)),
        published={"name": HOSTILE},
        **changes,
    )
    source = render(content)
    page = Page(source)
    assert len(page.all("script")) == 3
    assert page.all("img") == []
    assert "<script>window.hacked" not in source
    assert page.text.count("window.hacked = 1") >= 10


def test_writing_replaces_the_old_report_and_leaves_nothing_beside_it(make, tmp_path):
    target = tmp_path / "deep" / "report.html"
    target.parent.mkdir()
    target.write_text("old")
    assert write_report(make(origins=1), target) == target
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_old_report_stays_whole_when_drawing_fails(make, tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text("old")
    monkeypatch.setattr("forecaster.reporting.page.script_json", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(make(origins=1), target)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.html", "old")]


def test_place_that_cannot_be_written_is_an_error_with_a_remedy(make, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ForecasterError, match="give a place that can be written"):
        write_report(make(origins=1), tmp_path / "file" / "report.html")
