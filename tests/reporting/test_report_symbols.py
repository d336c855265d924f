"""The report of a run on symbols: what its bars, its reliability and its tables say."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecaster.reporting import render
from forecaster.reporting.symbol_plots import MOST_DOTS, bars, confusion, shown_forecasts, strip, told_by
from tests.reporting.made_up_symbols import made_up_symbols

ROWS = pd.DataFrame(
    {
        "unique_id": "home", "ds": [1, 2, 3], "cutoff": [0, 1, 2], "y": ["fish", None, "soup"],
        "net": ["fish", "rice", "fish"], "net-p": [0.7, 0.5, 0.6], "net-2": ["rice", "fish", "rice"],
        "net-2-p": [0.2, 0.3, 0.2], "net-3": ["soup", "soup", "bread"], "net-3-p": [0.06, 0.1, 0.1],
        "net-y-p": [0.7, np.nan, 0.05],
    }
)  # fmt: skip


def heights(figure):
    return {trace["name"]: trace["y"] for trace in figure["data"]}


def test_a_bar_is_the_named_symbols_what_came_and_the_rest():
    drawn = heights(bars(ROWS, "net", ["bread", "fish", "rice", "soup"]))
    assert drawn["fish"] == [0.7, 0.3, 0.6]
    assert drawn["soup"] == [0.06, 0.1, 0.05]  # at the last step it came, without being among the three likeliest
    assert drawn["bread"] == [None, None, 0.1]
    assert drawn["others"] == pytest.approx([0.04, 0.1, 0.05])
    assert drawn["what came"] == pytest.approx([0.35, 0.1 + 0.6 + 0.2 + 0.05 / 2])  # in the middle of its own part


def test_of_many_symbols_the_bar_tells_what_came_from_what_else_was_likely():
    figure = bars(ROWS, "net", [])
    assert figure["data"][0]["y"] == [0.7, None, 0.05]
    assert figure["data"][1]["y"] == [0.2, 0.5, 0.6]
    assert figure["data"][1]["customdata"] == ["rice", "rice", "fish"]
    assert figure["layout"]["xaxis"]["ticktext"] == ["fish", "", "soup"]


def test_what_was_said_and_what_came_are_counted():
    told = told_by(ROWS, "net")
    assert told.groupby("row").size().tolist() == [3, 3, 4]
    assert told.loc[told["came"], ["row", "symbol"]].to_numpy().tolist() == [[0, "fish"], [2, "soup"]]
    table = confusion(ROWS, "net", ["fish", "rice", "soup"])
    assert table.loc["fish"].tolist() == [1, 0, 0]
    assert table.loc["soup"].tolist() == [1, 0, 0]
    assert table.loc["rice"].sum() == 0


def test_forecasts_that_overlap_are_not_drawn_twice():
    content = made_up_symbols(horizon=3)
    earlier = content.forecasts.assign(
        cutoff=content.forecasts["cutoff"] - pd.Timedelta(days=1), ds=content.forecasts["ds"] - pd.Timedelta(days=1)
    )
    both = replace(content, forecasts=pd.concat([content.forecasts, earlier], ignore_index=True))
    drawn = shown_forecasts(both, "home")
    assert drawn["ds"].is_unique
    assert drawn["ds"].is_monotonic_increasing
    assert drawn.groupby("cutoff").size().eq(3).all()
    assert drawn["ds"].iloc[-1] == content.forecasts["ds"].max()


def test_a_long_series_is_thinned_and_what_comes_in_turn_is_still_seen_everywhere():
    names, steps = ("soup", "fish", "rice", "bread"), 4 * MOST_DOTS
    rows = pd.DataFrame({"ds": range(steps), "y": np.arange(steps) % 4.0})
    [dots] = strip(rows, names, [])["data"]
    x, y = np.array(dots["x"]), np.array(dots["y"])
    assert len(x) == MOST_DOTS and (x % 4 == y).all()
    for half in (x < steps / 2, x >= steps / 2):
        assert np.bincount(y[half]) / half.sum() == pytest.approx([0.25] * 4, abs=0.05)


@pytest.mark.parametrize(
    ("symbols", "dated"), [(("leftovers", "pizza", "sushi"), True), (tuple("abcdefghi \n<&"), False)]
)
def test_the_page_has_every_section_and_no_symbol_breaks_out(symbols, dated):
    samples = {"lstm": "soup, </script><b>\nfish"}
    page = render(replace(made_up_symbols((*symbols[:-1], "</script><b>"), dated=dated), samples=samples))
    found = re.findall(r'<section id="([a-z]+)"', page)
    assert found == ["verdict", "leaderboard", "forecasts", "reliability", "samples", "training", "data",
                     "facts", "metrics", "definition"]  # fmt: skip
    data = re.search(r'<script id="report-data" type="application/json">(.*?)</script>', page, re.DOTALL)
    figures = json.loads(data[1])["figures"]
    assert {"bars-0-0", "bars-0-1", "reliability", "frequencies"} <= set(figures)
    assert "Log loss" in page
    assert "soup, &lt;/script&gt;&lt;b&gt;" in page
    assert "<b>" not in page.replace("&lt;b&gt;", "").split("<script")[0]
