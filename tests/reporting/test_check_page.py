"""The page of a check: what stands in it, that it runs nothing foreign, and that a browser draws it."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from forecaster.reporting.check_content import CheckContent
from forecaster.reporting.check_page import render_check, write_check_page
from tests.browser import show

HOSTILE = "</script><script>window.hacked = 1</script><b>\"'&"


def make_check(names=("a",), steps=400, integer=False, **changes):
    time = np.arange(steps)
    ds = pd.Index(time) if integer else pd.date_range("2024-01-01", periods=steps, freq="h")
    y = np.sin(2 * np.pi * time / 24)
    y[100:110], y[200] = np.nan, 9.0
    history = pd.concat([pd.DataFrame({"unique_id": name, "ds": ds, "y": y}) for name in names], ignore_index=True)
    fields = {
        "title": "sold.csv",
        "created": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        "tiles": {"Steps": ("400", "of h")},
        "cautions": ["1 outlier: look whether it happened"],
        "problems": [],
        "facts": {"gaps": "1 gap"},
        "guessed": {"time": "ds"},
        "inferred": {"lookback": "48 steps"},
        "definition": "horizon: 24\n",
        "history": history,
        "outliers": pd.DataFrame({"unique_id": [names[0]], "ds": [ds[200]], "y": [9.0], "score": [12.0]}),
        "captions": {names[0]: "400 steps"},
        "series": len(names),
        "correlations": np.cos(2 * np.pi * np.arange(1, 101) / 24),
        "limits": np.full(100, 0.2),
        "cycles": {24: 0.99},
    }
    return CheckContent(**{**fields, **changes})


def data_of(page):
    found = re.search(r'<script id="report-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found.group(1))


def test_series_are_drawn_with_their_gaps_and_outliers():
    figures = data_of(render_check(make_check()))["figures"]
    line, rings = figures["series-0"]["data"]
    assert len(line["x"]) == 400 and line["y"][100:110] == [None] * 10
    assert rings["x"] == ["2024-01-09 08:00"] and rings["y"] == [9]
    (gap,) = figures["series-0"]["layout"]["shapes"]
    assert (gap["x0"], gap["x1"]) == ("2024-01-05 04:00", "2024-01-05 13:00")


def test_bars_of_the_autocorrelation_reach_past_the_longest_cycle():
    bars, limit, found = data_of(render_check(make_check()))["figures"]["cycles"]["data"]
    assert bars["type"] == "bar" and len(bars["x"]) == len(limit["x"]) == 60
    assert found["x"] == [24] and found["y"] == [0.99]
    page = render_check(make_check(correlations=np.zeros(0), limits=np.zeros(0), cycles={}))
    assert "too short for an autocorrelation" in page and "cycles" not in data_of(page)["figures"]


def test_words_stand_in_the_page():
    page = render_check(make_check(problems=["the horizon is too long"], cautions=[]))
    for words in (
        "No run is possible: the horizon is too long",
        "Nothing odd",
        "lookback",
        "horizon: 24",
        "Data check",
    ):
        assert words in page


def test_many_series_are_drawn_a_dozen_at_most_and_thinned():
    page = render_check(make_check([f"s{n}" for n in range(12)], steps=5_000, series=400, odd=12))
    figures = data_of(page)["figures"]
    assert len(figures) == 13 and all(len(figures[f"series-{n}"]["data"][0]["x"]) <= 2_000 for n in range(12))
    assert "12 of 400, the oddest first" in page
    assert 9 in figures["series-3"]["data"][0]["y"], "no spike is lost"


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (12, "12 of 400, the oddest first."),
        (2, "12 of 400, the 2 odd ones first."),
        (1, "12 of 400, the odd one first."),
        (0, "12 of 400, spread over all, none of which is odd."),
    ],
)
def test_series_are_called_odd_as_far_as_they_are(odd, words):
    page = render_check(make_check([f"s{n}" for n in range(12)], steps=210, series=400, odd=odd))
    assert words in page


def test_names_from_data_are_text():
    page = render_check(make_check([HOSTILE], title=HOSTILE, definition=HOSTILE, captions={}))
    assert HOSTILE not in page and "window.hacked = 1&lt;/script&gt;" in page


def symbols(names, steps=300):
    """A series of symbols that come in turn, with a gap."""
    content = make_check(steps=steps)
    places = np.arange(steps) % len(names)
    history = content.history.assign(y=np.where(np.isnan(content.history["y"]), np.nan, places))
    found = history["y"].value_counts(sort=False).sort_index()
    counts = {names[int(place)]: int(count) for place, count in found.items()}
    ends = {"a": ", ".join(names[place] for place in places[-5:])}
    return replace(content, history=history, symbols=names, counts=counts, ends=ends, cycles={})


def test_symbols_are_named_and_never_drawn_as_heights():
    page = render_check(symbols(("soup", "<b>fish</b>", "rice")))
    figures = data_of(page)["figures"]
    assert set(figures) == {"frequencies", "series-0"}
    [bars], [dots] = figures["frequencies"]["data"], figures["series-0"]["data"]
    assert bars["x"] == ["soup", "&lt;b&gt;fish&lt;/b&gt;", "rice"] and bars["customdata"] == [97, 96, 97]
    assert sum(bars["y"]) == pytest.approx(1) and len(dots["x"]) == 290, "ten are missing"
    assert figures["series-0"]["layout"]["yaxis"]["ticktext"] == bars["x"]
    assert len(figures["series-0"]["layout"]["shapes"]) == 1
    assert "rice, soup, &lt;b&gt;fish&lt;/b&gt;, rice" in page and "What repeats" not in page


def test_of_many_symbols_the_most_frequent_are_drawn():
    page = render_check(symbols(tuple(f"word {n}" for n in range(40))))
    figures = data_of(page)["figures"]
    assert set(figures) == {"frequencies"} and len(figures["frequencies"]["data"][0]["x"]) == 24
    assert "24 of 40 symbols" in page and "word 18, word 19" in page


def test_a_browser_draws_it_without_errors_and_without_sideways_scrolling(browser, tmp_path):
    pages = {
        "hostile": make_check([HOSTILE, "b"]), "integer": make_check(integer=True), "symbols": symbols((HOSTILE, "b")),
    }  # fmt: skip
    for name, content in pages.items():
        path = write_check_page(content, tmp_path / f"{name}.html")
        for width in (390, 1280):
            show(browser, path.as_uri(), width)
            plots = browser.execute_script("return document.querySelectorAll('.canvas .main-svg').length")
            assert plots >= len(content.history["unique_id"].unique()) + 1
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            assert browser.execute_script("return window.hacked") is None
            assert browser.get_log("browser") == []
