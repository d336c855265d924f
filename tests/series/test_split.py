import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import DataError
from forecaster.series import Columns, automatic_windows, cutoffs, forecastable, panel_from_frame, training_windows
from tests.series.small import one_series, panel_of_lengths


class TestCutoffs:
    @pytest.mark.parametrize(
        ("horizon", "windows", "step", "expected"),
        [
            (1, 1, 1, [18]),
            (1, 3, 1, [16, 17, 18]),
            (4, 1, 4, [15]),
            (4, 3, 4, [7, 11, 15]),
            (4, 3, 2, [11, 13, 15]),  # overlapping targets
            (2, 3, 5, [7, 12, 17]),  # steps that are judged by no window
            (18, 1, 1, [1]),
        ],
    )
    def test_the_last_one_leaves_a_horizon_behind_it(self, horizon, windows, step, expected):
        assert cutoffs(one_series(range(20)), horizon, windows, step).tolist() == [[tick] for tick in expected]

    def test_on_a_shared_clock_they_are_the_same_moments(self):
        panel = panel_of_lengths([10, 6, 3], first=[0, 2, 8])
        assert cutoffs(panel, 2, 2, 2).tolist() == [[6, 6, 6], [8, 8, 8]]

    def test_else_each_series_is_cut_from_its_own_end(self):
        panel = panel_of_lengths([10, 6, 3], first=[0, 2, 8], shared_clock=False)
        assert cutoffs(panel, 2, 2, 2).tolist() == [[5, 3, 6], [7, 5, 8]]

    def test_rows_of_the_future_do_not_count(self):
        assert cutoffs(panel_of_lengths([10], ends=[7]), 2, 1, 1).tolist() == [[4]]

    @pytest.mark.parametrize(("horizon", "windows", "step", "needed"), [(4, 3, 4, 14), (1, 1, 1, 3), (2, 5, 1, 8)])
    def test_too_short(self, horizon, windows, step, needed):
        assert len(cutoffs(one_series(range(needed)), horizon, windows, step)) == windows
        with pytest.raises(DataError, match=f"need at least {needed} steps, but the longest series has {needed - 1}"):
            cutoffs(one_series(range(needed - 1)), horizon, windows, step)


@pytest.mark.parametrize(
    ("steps", "horizon", "step", "share", "windows"),
    [
        (100, 5, 5, 0.25, 5),
        (100, 5, 1, 0.25, 21),
        (100, 25, 25, 0.25, 1),
        (100, 24, 1, 0.25, 2),
        (100, 60, 60, 0.25, 1),  # more than the share: one all the same
        (4032, 48, 48, 0.25, 21),
        (100_000, 48, 48, 0.25, 28),
    ],
)
def test_automatic_windows(steps, horizon, step, share, windows):
    assert automatic_windows(panel_of_lengths([steps]), horizon, step, share) == windows


def test_the_median_series_decides_how_many():
    assert automatic_windows(panel_of_lengths([8, 100, 100_000]), 5, 5, 0.25) == 5


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(12, 40), min_size=1, max_size=3),
    st.booleans(),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 5),
)
def test_a_target_belongs_to_one_part(lengths, shared, horizon, test_windows, validation_windows, lookback):
    """Training, validation and test part as the pipeline cuts them."""
    panel = panel_of_lengths(lengths, shared_clock=shared)
    step = horizon
    try:
        test = cutoffs(panel, horizon, test_windows, step)
        fitting = panel.until(test[0])
        validation = cutoffs(fitting, horizon, validation_windows, step)
        training = training_windows(fitting.until(validation[0]), lookback, horizon)
        held_out = training_windows(fitting, lookback, horizon).after(validation[0])
    except DataError:
        return
    alive = [panel.ids.tolist().index(name) for name in fitting.ids]
    trained = set(training.gather(slice(None)).target.ravel())
    stopped_by = set(held_out.gather(slice(None)).target.ravel())
    tested = {
        value
        for number in alive
        for tick in range(test[0, number] + 1, panel.last[number] + 1)
        for value in panel.target[panel.offsets[number] + tick - panel.first[number], None]
    }
    assert not trained & stopped_by
    assert not trained & tested
    assert not stopped_by & tested
    assert validation[-1, 0] + horizon == fitting.last.max() if shared else True
    assert (test[-1] + horizon == (panel.last.max() if shared else panel.last)).all()


def test_forecasts_need_targets_and_known_covariates_behind_their_cutoff():
    """The second series ends early, the third begins late, and of the first a known value is missing."""
    steps = np.arange(12)
    price = np.where(steps == 7, np.nan, 1.0)
    parts = [
        pd.DataFrame({"who": "a", "t": steps, "y": 1.0, "price": price}),
        pd.DataFrame({"who": "b", "t": steps[:6], "y": 1.0, "price": 1.0}),
        pd.DataFrame({"who": "c", "t": steps[4:], "y": 1.0, "price": 1.0}),
    ]
    panel = panel_from_frame(pd.concat(parts), Columns("who", "t", known=["price"]), freq=1, clock="shared")
    found = forecastable(panel, cutoffs(panel, 2, 9, 1), 2)
    assert found[:, 0].tolist() == [True, True, True, True, False, False, True, True, True]
    assert found[:, 1].tolist() == [True, True, True, False, False, False, False, False, False]
    assert found[:, 2].tolist() == [False, False, False, True, True, True, True, True, True]
