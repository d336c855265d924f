import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster import NaiveForecaster, backtest, seasonal_naive
from forecaster.evaluation.metrics import scales
from forecaster.series import Windows, panel_from_frame, training_windows
from forecaster.series.filling import filled

NAN = np.nan
GAPPY = [1, 2, NAN, NAN, 5, 6, NAN, 8, NAN, NAN, 14, 12, NAN, 14, 15, 16]
FILLINGS = ["forward", "interpolate"]


def panel(values, missing):
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=len(values), freq="D"), "y": values})
    return panel_from_frame(frame, freq="D", missing=missing)


def seen(values, missing, origin, lookback=6, horizon=2):
    """What a model sees of a series from one origin, and what it should say."""
    windows = Windows(panel(values, missing), lookback, horizon, np.array([0]), np.array([origin]))
    batch = windows.gather(slice(None))
    return batch.past[0, :, 0], batch.target[0]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", [NAN, 1, NAN, NAN, 7, NAN]),
        ("forward", [NAN, 1, 1, 1, 7, 7]),
        ("interpolate", [NAN, 1, 3, 5, 7, NAN]),
    ],
)
def test_by_hand(how, expected):
    values = np.array([[NAN, 1, NAN, NAN, 7, NAN], [NAN] * 6, [1, 2, 3, 4, 5, 6]], np.float32)
    result = filled(values, how)
    np.testing.assert_array_equal(result, [expected, [NAN] * 6, [1, 2, 3, 4, 5, 6]])
    assert result.dtype == np.float32


class TestWhatAModelSees:
    @pytest.mark.parametrize(("missing", "gap"), [("mask", [NAN, NAN]), ("forward", [8, 8]), ("interpolate", [10, 12])])
    def test_a_gap_that_has_ended(self, missing, gap):
        np.testing.assert_array_equal(seen(GAPPY, missing, 11)[0][3:5], gap)

    @pytest.mark.parametrize(("missing", "gap"), [("forward", 8), ("interpolate", NAN)])
    def test_a_gap_that_reaches_up_to_the_cutoff(self, missing, gap):
        np.testing.assert_array_equal(seen(GAPPY, missing, 9)[0][-1], gap)
        np.testing.assert_array_equal(seen(GAPPY, missing, 10)[0][-2:], [gap, gap])

    @pytest.mark.parametrize("missing", FILLINGS)
    def test_targets_stay_as_they_were_observed(self, missing):
        np.testing.assert_array_equal(seen(GAPPY, missing, 8)[1], [NAN, NAN])
        mask, filling = (training_windows(panel(GAPPY, way), 4, 2) for way in ("mask", missing))
        assert mask.locate(slice(None))[1].tolist() == filling.locate(slice(None))[1].tolist()
        np.testing.assert_array_equal(mask.gather(slice(None)).target, filling.gather(slice(None)).target)

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.one_of(st.just(NAN), st.integers(-9, 9)), min_size=9, max_size=20),
        st.sampled_from(FILLINGS), st.integers(1, 8), st.integers(1, 9), st.data(),
    )  # fmt: skip
    def test_law_1_nothing_from_behind_the_cutoff(self, values, missing, origin, lookback, data):
        values[0], values[-1] = 1, 2
        later = data.draw(st.lists(st.one_of(st.just(NAN), st.integers(-9, 9)), min_size=1, max_size=9))
        changed = [*values[:origin], *later, 3]
        np.testing.assert_array_equal(
            seen(values, missing, origin, lookback)[0], seen(changed, missing, origin, lookback)[0]
        )


class TestWhatItIsJudgedBy:
    @pytest.mark.parametrize("missing", FILLINGS)
    def test_nothing_that_was_filled(self, missing):
        plain, filling = panel(GAPPY, "mask"), panel(GAPPY, missing)
        np.testing.assert_array_equal(plain.target, filling.target)
        assert scales(plain, 1).tolist() == scales(filling, 1).tolist()
        frames = [backtest(NaiveForecaster(seasonal_naive, 2, 3), one, windows=3) for one in (plain, filling)]
        pd.testing.assert_frame_equal(*frames)
        assert np.isnan(frames[1]["y"]).any()

    @pytest.mark.parametrize("missing", FILLINGS)
    def test_it_is_recorded_and_outlives_a_cut(self, missing):
        filling = panel(GAPPY, missing)
        assert filling.notes["missing"].startswith(f"{missing}: gaps")
        assert filling.until(8).select([0]).filling == missing
        assert "missing" not in panel(GAPPY, "mask").notes
