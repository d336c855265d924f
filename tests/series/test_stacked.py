"""Panels of many cutoffs beside each other."""

import numpy as np
import pandas as pd

from forecaster.series import Columns, panel_from_frame, stacked


def test_each_pair_has_its_last_steps_and_of_the_future_only_what_is_known():
    stamps = np.arange(1, 7)
    frame = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": stamps * 10.0, "warm": stamps * 1.0})
    other = frame.assign(unique_id="b", y=-frame["y"])
    panel = panel_from_frame(pd.concat([frame, other]), Columns(id="unique_id", known=("warm",)))
    ticks = panel.ticks(pd.Index([2, 4, 4]))
    seen = stacked(panel, np.array([0, 0, 1]), ticks, past=3, future=1)
    assert list(seen.ids) == ["a", "a", "b"]
    assert [seen.history(one).tolist() for one in range(3)] == [[10, 20], [20, 30, 40], [-20, -30, -40]]
    assert (seen.last == ticks).all()
    rows = [seen.values[seen.offsets[one] : seen.offsets[one + 1]] for one in range(3)]
    assert all(np.isnan(one[-1, 0]) for one in rows)
    assert [one[:, 1].tolist() for one in rows] == [[1, 2, 3], [2, 3, 4, 5], [2, 3, 4, 5]]
    assert np.isfinite(panel.values).all()


def test_what_is_missing_before_a_cutoff_does_not_count_among_its_steps():
    frame = pd.DataFrame({"ds": np.arange(1, 9), "y": [1.0, 2.0, 3.0, np.nan, np.nan, 6.0, np.nan, 8.0]})
    panel = panel_from_frame(frame, Columns())
    seen = stacked(panel, np.zeros(3, int), panel.ticks(pd.Index([3, 5, 6])), past=2, future=0)
    nan = float("nan")
    wanted = [[2, 3], [2, 3, nan, nan], [nan, 6]]
    for one, values in enumerate(wanted):
        np.testing.assert_array_equal(seen.history(one), values)
