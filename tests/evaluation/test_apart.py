"""Scores of series that a network knew little of, by themselves."""

import numpy as np
import pandas as pd
import pytest

from forecaster.evaluation.apart import LONG, NEW, SHORT, kinds_of_series, scored_apart
from forecaster.evaluation.metrics import scales, score
from forecaster.series import Columns, panel_from_frame
from tests.evaluation.doubles import backtest_frame

LOOKBACK, HORIZON = 20, 6
LENGTHS = {"s0": 60, "s1": 40, "s2": 17, "s3": 3}


def fitting(lengths=LENGTHS):
    """Series that end together, where the backtest begins."""
    frames = [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": pd.date_range(end="2024-03-01", periods=length, freq="h"),
                "y": np.random.default_rng(length).normal(10, 3, length),
            }
        )
        for name, length in lengths.items()
    ]
    return panel_from_frame(pd.concat(frames), Columns(id="unique_id"))


def backtest():
    return backtest_frame(["gru", "naive"], series=4, cutoffs=2, horizon=HORIZON)


def test_series_are_long_short_or_new():
    kinds = kinds_of_series(fitting(), ["s0", "s1", "s2", "s3", "later"], LOOKBACK, HORIZON)
    assert kinds.to_dict() == {"s0": LONG, "s1": LONG, "s2": SHORT, "s3": NEW, "later": NEW}


def test_each_kind_has_the_scores_of_its_series_alone():
    frame, panel = backtest(), fitting()
    found = scored_apart(frame, panel, ["gru", "naive"], "smape", 1, LOOKBACK, HORIZON).set_index("kind")
    assert found["series"].to_dict() == {LONG: 2, SHORT: 1, NEW: 1}
    assert found["forecasts"].to_dict() == {LONG: 4, SHORT: 2, NEW: 2}
    for kind, names in {LONG: ["s0", "s1"], SHORT: ["s2"], NEW: ["s3"]}.items():
        alone = score(frame[frame["unique_id"].isin(names)], ["gru", "naive"], ["smape"], scales(panel, 1))
        assert found.loc[kind, ["gru", "naive"]].tolist() == pytest.approx(alone["smape"].tolist())


@pytest.mark.parametrize(("season", "metric"), [(1, "mase"), (5, "smape")])
def test_smape_stands_in_where_a_kind_has_no_scale(season, metric):
    found = scored_apart(backtest(), fitting(), ["gru", "naive"], "mase", season, LOOKBACK, HORIZON)
    assert set(found["metric"]) == {metric} and found[["gru", "naive"]].notna().all(axis=None)


def test_series_of_one_kind_are_not_told_apart():
    long = fitting(dict.fromkeys(LENGTHS, 60))
    assert scored_apart(backtest(), long, ["gru", "naive"], "mase", 1, LOOKBACK, HORIZON).empty
