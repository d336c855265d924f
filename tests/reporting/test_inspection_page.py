"""The inside of networks as figures and words."""

import json
import re
from itertools import pairwise

import pytest

from forecaster.reporting import render
from forecaster.reporting.inspection import render_inspection
from forecaster.reporting.inspection_plots import heat_maps, reach_plot, rows
from tests.reporting.made_up_inspection import made_up_inspection


def data(page):
    return json.loads(re.search(r'<script id="report-data"[^>]*>(.*?)</script>', page, re.DOTALL).group(1))


def test_a_heat_map_for_each_gate_and_state_under_the_series():
    document = made_up_inspection()
    [layer] = document["activations"]
    assert list(rows(layer)) == ["input", "forget", "candidate", "output", "cell", "hidden"]
    drawn = heat_maps(document, layer)
    assert [trace["name"] for trace in drawn["data"]] == [
        "seen", "what came", "forecast", "input gate", "forget gate", "candidate", "output gate", "cell state",
        "hidden state",
    ]  # fmt: skip
    maps = drawn["data"][3:]
    assert all(len(trace["x"]) == len(trace["z"][0]) + 1 == 13 for trace in maps)
    assert [(trace["zmin"], trace["zmax"]) for trace in maps[:3]] == [(0, 1), (0, 1), (-1.0, 1.0)]
    cell = maps[4]
    assert cell["zmax"] == -cell["zmin"] == max(abs(value) for row in cell["z"] for value in row)
    domains = [drawn["layout"][f"yaxis{place}"]["domain"] for place in range(2, 8)]
    assert all(low < high for low, high in domains)
    assert all(above[0] > below[1] for above, below in pairwise(domains)), "no two overlap"
    assert domains[-1][0] == pytest.approx(0)


def test_steps_that_lie_nowhere_in_time_are_drawn_without_the_series():
    document = made_up_inspection()
    layer = {**document["activations"][0], "reads": "steps", "edges": list(range(13))}
    drawn = heat_maps(document, layer)
    assert drawn["layout"]["xaxis"]["type"] == "linear"
    assert {trace["type"] for trace in drawn["data"]} == {"heatmap"}


def test_the_reach_of_all_networks_is_drawn_on_one_logarithmic_scale():
    first, second = made_up_inspection(), made_up_inspection("gru")
    second["gradient_reach"]["layers"][0]["norms"][-1] = 0.0
    drawn = reach_plot([first, second])
    assert drawn["layout"]["yaxis"]["type"] == "log"
    assert [trace["name"] for trace in drawn["data"]] == ["lstm", "gru"]
    assert drawn["data"][0]["x"] == list(range(13))
    assert drawn["data"][1]["y"][-1] is None, "a logarithm of zero is not drawn"


def test_the_page_has_a_section_for_each_network_and_escapes_what_comes_from_data():
    page = render_inspection("two", [made_up_inspection(), made_up_inspection("gru")])
    assert {"reach", "gates-0", "gates-1-0"} == set(data(page)["figures"])
    for words in ("Gates of gru", "&lt;demand&gt;", "try &lt;b&gt;this&lt;/b&gt;", "4 × (2 × 5 + 5 × 5 + 5)"):
        assert words in page
    assert "Clipping bites" in page and "norm 2.5, clipped at 1 (× 0.4)" in page
    assert "<b>this" not in page


def test_a_network_without_recurrence_says_so():
    reach = {"loss": "l", "windows": 16, "weights": 1.0, "layers": []}
    page = render_inspection("flat", [made_up_inspection(activations=[], gradient_reach=reach)])
    assert "There is no recurrent layer" in page and data(page)["figures"] == {}


def test_a_run_shows_the_gates_of_its_first_network_only(make):
    content = make(inspections=(made_up_inspection(), made_up_inspection("gru")), origins=1, steps=200, horizon=2)
    figures = data(render(content))["figures"]
    assert {"gates-0", "reach"} <= set(figures) and "gates-1-0" not in figures
    assert "gates and states over time" not in render(make(origins=1, steps=200, horizon=2))
