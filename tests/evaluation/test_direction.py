"""Directional accuracy: numbers worked out by hand, ties, gaps, clusters and the interval's coverage."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from forecaster.errors import ForecasterError
from forecaster.evaluation.direction import direction_by_step, directions, wilson
from forecaster.series import Columns, Panel, panel_from_frame


def panel(**series: list[float]) -> Panel:
    days = pd.date_range("2024-01-01", periods=len(next(iter(series.values()))), freq="D")
    long = pd.concat([pd.DataFrame({"unique_id": name, "ds": days, "y": y}) for name, y in series.items()])
    return panel_from_frame(long, Columns("unique_id"), freq="D")


def backtest(data: Panel, horizon: int, cutoffs: list[int], **models: dict[tuple[str, int], list[float]]):
    """A frame of forecasts by (series, cutoff); y from the panel."""
    values = data.frame().set_index(["unique_id", "ds"])["y"]
    rows = []
    for name in data.ids:
        for cutoff in cutoffs:
            at = pd.Timestamp("2024-01-01") + pd.Timedelta(cutoff, "D")
            for step in range(horizon):
                ds = at + pd.Timedelta(step + 1, "D")
                said = {model: told[name, cutoff][step] for model, told in models.items()}
                rows.append({"unique_id": name, "ds": ds, "cutoff": at, "y": values[name, ds], **said})
    return pd.DataFrame(rows)


def test_wilson_is_scipys():
    for right, trials in ((0, 5), (3, 9), (14, 28), (28, 28)):
        theirs = binomtest(right, trials).proportion_ci(0.9, method="wilson")
        assert wilson(right / trials, trials, 0.9) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert all(math.isnan(bound) for bound in wilson(math.nan, 0))
    with pytest.raises(ForecasterError, match="confidence is 95; write a number between 0 and 1"):
        wilson(0.5, 10, 95)


def test_the_sign_of_the_change_from_the_cutoff_counts_at_the_last_step():
    data = panel(a=[10, 11, 12, 9, 8, 15])  # from cutoff 1 (11): 12, 9; from cutoff 3 (9): 8, 15
    frame = backtest(
        data, 2, [1, 3],
        model={("a", 1): [10.0, 10.0], ("a", 3): [8.0, 8.5]},  # right at the last step: yes (down), no (up)
    )  # fmt: skip
    found = directions(frame, ["model"], data).loc["model"]
    assert (found["direction"], found["cutoffs"]) == (0.5, 2)
    assert (found["direction-lo"], found["direction-hi"]) == pytest.approx(wilson(0.5, 2))
    assert list(direction_by_step(frame, "model", data)["direction"]) == [0.5, 0.5]  # first step: no, yes


def test_a_forecast_of_no_change_is_half_right_and_a_value_that_stays_does_not_count():
    data = panel(a=[10, 11, 11, 12, 12, 13])
    frame = backtest(data, 1, [1, 2, 4], naive={("a", 1): [11.0], ("a", 2): [11.0], ("a", 4): [12.0]})
    frame["up"] = frame["naive"] + 1
    frame["rounded"] = np.float32(frame["naive"] * (1 + 1e-7)).astype(float)
    found = directions(frame, ["naive", "up", "rounded"], data)
    assert list(found["direction"]) == [0.5, 1.0, 0.5]
    assert list(found["cutoffs"]) == [2, 2, 2]  # from 11 to 11 is no direction


def test_the_cutoffs_value_is_the_last_observed_one_and_missing_values_do_not_count():
    data = panel(a=[10, 20, math.nan, 15, math.nan, 30])
    frame = backtest(data, 1, [2, 3, 4], m={("a", 2): [19.0], ("a", 3): [16.0], ("a", 4): [29.0]})
    found = directions(frame, ["m"], data).loc["m"]
    assert (found["direction"], found["cutoffs"]) == (1.0, 2)  # 20 → 15 and 15 → 30; nothing was seen after 3


def test_a_model_that_left_out_a_forecast_has_no_score():
    data = panel(a=[10, 11, 12, 13])
    frame = backtest(data, 1, [0, 1, 2], m={("a", 0): [11.0], ("a", 1): [math.nan], ("a", 2): [14.0]})
    assert directions(frame, ["m"], data).loc["m", ["direction", "direction-lo"]].isna().all()


def test_series_of_one_cutoff_are_one_observation_and_overlap_is_taken_off():
    data = panel(**{name: [10.0, 11.0, 12.0, 13.0, 14.0] for name in "abcd"})
    said = {(name, cutoff): [99.0 if name != "d" else 0.0] for name in "abcd" for cutoff in range(4)}
    frame = backtest(data, 1, [0, 1, 2, 3], m=said)
    found = directions(frame, ["m"], data).loc["m"]
    assert (found["direction"], found["cutoffs"]) == (0.75, 4)
    assert (found["direction-lo"], found["direction-hi"]) == pytest.approx(wilson(0.75, 4))
    wider = directions(frame, ["m"], data, overlap=2).loc["m"]
    assert (wider["direction-lo"], wider["direction-hi"]) == pytest.approx(wilson(0.75, 2))


def test_series_with_clocks_of_their_own_are_matched_from_their_ends():
    lengths = {"a": 6, "b": 9}
    rows = [{"unique_id": name, "ds": step, "y": float(step)} for name in lengths for step in range(lengths[name])]
    data = panel_from_frame(pd.DataFrame(rows), Columns("unique_id"), freq=1)
    frame = pd.DataFrame(
        [
            {"unique_id": name, "ds": cutoff + 1, "cutoff": cutoff, "y": cutoff + 1.0, "m": cutoff + 2.0}
            for name, cutoffs in (("a", (3, 4)), ("b", (6, 7)))
            for cutoff in cutoffs
        ]
    )
    assert directions(frame, ["m"], data).loc["m", "cutoffs"] == 2


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_the_interval_holds_the_truth_as_often_as_it_says_where_series_move_together(share):
    """Series that rise and fall as one: 28 origins of ten series are 28 observations, not 280."""
    generator = np.random.default_rng(1)
    right = generator.binomial(28, share, 4_000) / 28
    held = [low <= share <= high for low, high in (wilson(one, 28) for one in right)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)
    narrow = [low <= share <= high for low, high in (wilson(one, 280) for one in right)]
    assert np.mean(narrow) < 0.6
