"""What is drawn: numbers worked out by hand, thinning that loses no spike, figures that plotly accepts."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from forecaster.reporting.cast import cast, default_pair, interval_levels
from forecaster.reporting.origins import MAX_ORIGINS, MAX_SERIES, origin_views
from forecaster.reporting.plots import curve_plot, data_plots, step_error_plot, step_errors
from forecaster.reporting.thinning import evenly, min_max, missing_runs


def plain(node, key=""):
    """A figure with any colour in place of our names of colours, which plotly does not know."""
    if isinstance(node, dict):
        return {name: plain(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [plain(item, key) for item in node]
    return "#123456" if key.endswith("color") else node


def board(**kinds):
    return pd.DataFrame({"model": list(kinds), "kind": list(kinds.values())})


def backtest(rows):
    return pd.DataFrame(rows, columns=["unique_id", "ds", "cutoff", "y", "lstm"])


def test_step_errors_of_one_series_are_mean_absolute_errors(make):
    forecasts = backtest(
        [
            ("a", 11, 10, 5.0, 6.0),
            ("a", 12, 10, 5.0, 2.0),
            ("a", 12, 11, 4.0, 7.0),
            ("a", 13, 11, np.nan, 1.0),
        ]
    )
    errors = step_errors(make(forecasts=forecasts, leaderboard=board(lstm="network")))
    assert errors["lstm"].to_dict() == {1: (1 + 3) / 2, 2: 3.0}


def test_step_errors_of_several_series_are_in_mean_step_changes(make):
    history = pd.DataFrame(
        {"unique_id": ["a"] * 3 + ["b"] * 3, "ds": [0, 1, 2] * 2, "y": [0.0, 1.0, 0.0, 0.0, 100.0, 0.0]}
    )
    forecasts = backtest([("a", 3, 2, 0.0, 2.0), ("b", 3, 2, 0.0, 400.0)])
    errors = step_errors(make(history=history, forecasts=forecasts, leaderboard=board(lstm="network")))
    assert errors["lstm"].to_dict() == {1: (2 / 1 + 400 / 100) / 2}


def test_constant_series_have_no_scale_and_are_left_out_of_the_mean(make):
    history = pd.DataFrame({"unique_id": ["a", "a", "b", "b"], "ds": [0, 1] * 2, "y": [0.0, 2.0, 7.0, 7.0]})
    forecasts = backtest([("a", 2, 1, 0.0, 2.0), ("b", 2, 1, 7.0, 9.0)])
    errors = step_errors(make(history=history, forecasts=forecasts, leaderboard=board(lstm="network")))
    assert errors["lstm"].to_dict() == {1: 1.0}


def test_only_naive_forecasts_and_rivals_are_dashed(make):
    content = make(origins=2)
    traces = step_error_plot(content, step_errors(content))["data"]
    dashes = {trace["name"]: trace["line"]["dash"] for trace in traces}
    naive = {player.name for player in cast(content) if player.kind == "naive"}
    assert {name for name, dash in dashes.items() if dash != "solid"} == naive


@pytest.mark.parametrize("integer", [False, True])
def test_plotly_accepts_every_figure(make, integer):
    content = make(("a", "b"), integer=integer, origins=2, steps=600)
    figures = [step_error_plot(content, step_errors(content)), curve_plot(content.curves["lstm"])]
    figures += [plot.figure for plot in data_plots(content)]
    for figure in figures:
        go.Figure(plain(figure))


def test_long_series_are_thinned_and_keep_their_spike(make):
    y = np.zeros(100_000)
    y[77_777] = 9.0
    history = pd.DataFrame({"unique_id": "a", "ds": np.arange(len(y)), "y": y})
    (plot,) = data_plots(make(history=history, parts={}))
    values = plot.figure["data"][0]["y"]
    assert len(values) <= 4_000
    assert max(values) == 9
    assert plot.thinned


def test_line_is_broken_where_a_long_gap_is_thinned():
    values = np.zeros(1_000)
    values[400:600] = np.nan
    assert np.isnan(values[min_max(values, 100)]).any()


def test_gaps_are_counted_before_thinning_and_drawn_as_strips(make):
    (plot,) = data_plots(make(parts={}))
    assert (plot.missing, plot.gaps) == (21, 2)
    assert len(plot.figure["layout"]["shapes"]) == 2


def test_very_many_gaps_are_drawn_as_few_strips(make):
    y = np.where(np.arange(10_000) % 3 == 0, np.nan, 1.0)
    history = pd.DataFrame({"unique_id": "a", "ds": np.arange(len(y)), "y": y})
    (plot,) = data_plots(make(history=history, parts={}))
    assert plot.gaps == len(missing_runs(y)) == 3_334
    assert len(plot.figure["layout"]["shapes"]) <= 300


def test_parts_of_a_series_go_before_the_common_ones(make):
    content = make(("a", "b"), integer=True, steps=600, origins=2, series_parts={"b": {"test": (590, 599)}})
    shapes = {plot.unique_id: plot.figure["layout"]["shapes"] for plot in data_plots(content)}
    tests = {name: [s["x0"] for s in some if s["fillcolor"] == "--part-test"] for name, some in shapes.items()}
    assert tests == {"a": [600 - 96], "b": [590]}


def test_view_holds_history_up_to_the_cutoff_and_the_forecast_after_it(make):
    content = make(integer=True, horizon=4, origins=3, steps=400)
    series = origin_views(content).data["series"][0]
    assert [origin["cutoff"] for origin in series["origins"]] == [387, 391, 395]
    for origin in series["origins"]:
        past = series["ds"][origin["from"] : origin["upto"]]
        assert past == list(range(origin["cutoff"] - 29, origin["cutoff"] + 1))
        assert [series["ds"][place] for place in origin["at"]] == [origin["cutoff"] + step for step in (1, 2, 3, 4)]


def test_view_gives_median_and_both_ends_of_each_interval_widest_first(make):
    content = make(integer=True, horizon=2, origins=1, steps=100)
    views = origin_views(content).data
    assert views["levels"]["lstm"] == ["95", "80"]
    made = content.forecasts
    given = views["series"][0]["origins"][0]["values"]["lstm"]
    columns = ["lstm", "lstm-lo-95", "lstm-hi-95", "lstm-lo-80", "lstm-hi-80"]
    np.testing.assert_allclose(given, made[columns].to_numpy().T, rtol=1e-5)


def test_series_and_origins_are_thinned_and_counted(make):
    ids = tuple(f"s{i}" for i in range(15))
    content = make(ids, kinds={"lstm": "network"}, integer=True, horizon=1, origins=40, steps=120)
    views = origin_views(content)
    assert (views.series_shown, views.series_total) == (MAX_SERIES, 15)
    assert (views.origins_shown, views.origins_total) == (MAX_SERIES * MAX_ORIGINS, 15 * 40)
    first = [origin["cutoff"] for origin in views.data["series"][0]["origins"]]
    assert (first[0], first[-1]) == (79, 118)


def test_missing_outcomes_and_forecasts_become_null(make):
    content = make(integer=True, horizon=2, origins=1, steps=100)
    content.forecasts.loc[0, ["y", "lstm"]] = np.nan
    content.history.loc[content.history["ds"] == 98, "y"] = np.nan
    series = origin_views(content).data["series"][0]
    origin = series["origins"][0]
    assert series["y"][origin["at"][0]] is None
    assert origin["values"]["lstm"][0][0] is None


def test_first_view_is_the_published_network_beside_the_seasonal_naive(make):
    content = make(origins=1)
    assert default_pair(content) == ("custom_lstm", "seasonal_naive")
    content.leaderboard["published"] = content.leaderboard["model"] == "gru"
    assert default_pair(content) == ("gru", "seasonal_naive")


def test_without_a_seasonal_naive_the_best_naive_is_the_comparison(make):
    assert default_pair(make(kinds={"lstm": "network", "mean": "naive"}, origins=1)) == ("lstm", "mean")
    assert default_pair(make(kinds={"lstm": "network"}, origins=1)) == ("lstm", None)


def test_level_with_one_end_only_is_no_interval(make):
    frame = make(origins=1).forecasts.drop(columns="lstm-hi-80")
    assert interval_levels(make(origins=1, forecasts=frame), "lstm") == ["95"]


def test_names_with_hyphens_are_models_not_intervals(make):
    frame = pd.DataFrame({"unique_id": ["a"], "ds": [2], "cutoff": [1], "y": [0.0], "lstm-lo-fi": [1.0]})
    content = make(forecasts=frame, leaderboard=board(**{"lstm-lo-fi": "network"}))
    assert [player.name for player in cast(content)] == ["lstm-lo-fi"]


def test_even_picks_keep_the_ends():
    assert evenly(list(range(100)), 4) == [0, 33, 66, 99]


def test_stamps_of_any_resolution_meet(make):
    content = make(horizon=2, origins=2, steps=100)
    coarse = {name: content.forecasts[name].astype("datetime64[s]") for name in ("ds", "cutoff")}
    parts = {"test": tuple(content.history["ds"].to_numpy()[-2:])}
    mixed = make(forecasts=content.forecasts.assign(**coarse), history=content.history, parts=parts)
    assert origin_views(mixed).data["series"] == origin_views(content).data["series"]
    (plot,) = data_plots(mixed)
    assert plot.figure["layout"]["shapes"][0]["x1"] == "2024-01-03 01:30"
