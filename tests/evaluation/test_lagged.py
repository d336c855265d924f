"""Lagged copies are found, and what merely follows a series closely is none."""

import numpy as np
import pandas as pd
import pytest

from forecaster.evaluation.lagged import Likeness, lagged_copies, likeness
from forecaster.series import Columns, panel_from_frame

STEPS, HORIZON, STRIDE = 200, 4, 2


def walks(missing=()):
    """Two random walks of different size, with values hidden at the given steps of the first."""
    generator = np.random.default_rng(3)
    frames = []
    for name, size in (("a", 1.0), ("b", 1000.0)):
        y = size * (50 + np.cumsum(generator.normal(0, 1, STEPS)))
        frames.append(pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=STEPS), "y": y}))
    frame = pd.concat(frames, ignore_index=True)
    frame.loc[list(missing), "y"] = np.nan
    return panel_from_frame(frame, Columns("unique_id"))


def backtest_of(panel, **models):
    """A frame of forecasts: each model is a function of history up to the cutoff and of what came."""
    rows = []
    for number, name in enumerate(panel.ids):
        y = panel.history(number)
        stamps = panel.stamps(np.arange(STEPS))
        for cutoff in range(100, STEPS - HORIZON, STRIDE):
            came = y[cutoff + 1 : cutoff + 1 + HORIZON]
            said = {model: rule(y[: cutoff + 1], came) for model, rule in models.items()}
            stamp = {"unique_id": name, "ds": stamps[cutoff + 1 : cutoff + 1 + HORIZON], "cutoff": stamps[cutoff]}
            rows.append(pd.DataFrame({**stamp, "y": came, **said}))
    return pd.concat(rows, ignore_index=True)


def last(history, came):
    return np.full(len(came), history[np.isfinite(history)][-1])


def test_a_repeated_last_value_is_a_copy_and_what_knows_the_future_is_none():
    panel = walks()
    frame = backtest_of(
        panel,
        copy=last,
        nearly=lambda past, came: 1.02 * last(past, came) + 0.1 * (past[-1] - past[-2]),
        close=lambda past, came: 0.8 * last(past, came) + 0.2 * came,
        better=lambda past, came: 0.5 * last(past, came) + 0.5 * came,
        truth=lambda past, came: came,
        upside_down=lambda past, came: -last(past, came),
        flat=lambda past, came: np.full(len(came), 7.0),
    )
    models = ["copy", "nearly", "close", "better", "truth", "upside_down", "flat"]
    assert set(lagged_copies(frame, panel, models)) == {"copy", "nearly"}
    told = likeness(frame, panel, models)
    assert told["copy"].last == pytest.approx(1.0) and told["copy"].truth < 0.99
    assert told["close"].last > 0.99 and told["close"].gain == pytest.approx(0.2)  # near the last value, but it pays
    assert told["copy"].gain == pytest.approx(0.0) and told["truth"].gain == 1.0
    assert told["truth"].truth == pytest.approx(1.0)
    assert "flat" not in told


def test_the_last_value_is_the_last_that_was_observed():
    panel = walks(missing=(110, 111, 112, 150))
    frame = backtest_of(panel, copy=last)
    assert likeness(frame, panel, ["copy"])["copy"].last == pytest.approx(1.0)


def test_by_hand_one_step_ahead():
    steps = pd.date_range("2024-01-01", periods=5)
    panel = panel_from_frame(pd.DataFrame({"ds": steps, "y": [1.0, 3.0, 2.0, 4.0, 8.0]}))
    frame = pd.DataFrame({"unique_id": panel.ids[0], "ds": steps[1:], "cutoff": steps[:-1], "y": [3.0, 2, 4, 8]})
    found = likeness(frame.assign(gru=[1.0, 3.0, 2.0, 6.0]), panel, ["gru"])["gru"]
    assert found.last == pytest.approx(np.corrcoef([1, 3, 2, 6], [1, 3, 2, 4])[0, 1])
    assert found.gain == pytest.approx(1 - (2 + 1 + 2 + 2) / (2 + 1 + 2 + 4))
    assert found.truth == pytest.approx(np.corrcoef([1, 3, 2, 6], [3, 2, 4, 8])[0, 1])


@pytest.mark.parametrize(
    ("last", "truth", "gain", "copy"),
    [
        (0.999, 0.9, 0.0, True),
        (0.999, 0.9, 0.06, False),
        (0.999, 0.999, 0.0, False),
        (0.9, 0.2, 0.0, False),
        (0.96, -0.5, -0.3, True),
        (-1.0, 0.0, 0.0, False),
    ],
)
def test_far_above_means_a_tenth_of_what_is_left_unexplained(last, truth, gain, copy):
    assert Likeness(last, truth, gain).copy is copy


def test_single_origins_tell_nothing():
    panel = walks()
    frame = backtest_of(panel, copy=last).groupby("unique_id").head(2 * HORIZON)
    assert likeness(frame, panel, ["copy"]) == {}
