"""Sequence batching: which steps are read side by side, which go on, and where a state must begin anew."""

from dataclasses import replace

import numpy as np
import pytest

from forecaster.errors import DataError
from forecaster.series import Columns, panel_from_frame, training_windows
from forecaster.series.runs import Runs, sequences
from tests.synthetic import seasonal_panel


def counting(*lengths):
    """Series that count on from one another: s0 0, 1, 2, …; s1 100, 101, …"""
    import pandas as pd

    rows = [
        (f"s{number}", step, 100.0 * number + step) for number, length in enumerate(lengths) for step in range(length)
    ]
    return panel_from_frame(pd.DataFrame(rows, columns=["unique_id", "ds", "y"]), Columns("unique_id"))


def turn(runs):
    return [runs.batch(step) for step in range(runs.around)]


@pytest.mark.parametrize(
    ("lanes", "length", "expected"),
    [
        (2, 5, [[[0, 1, 2, 3, 4], [5, 6, 7, 8]]]),
        (2, 2, [[[0, 1], [5, 6]], [[2, 3], [7, 8]], [[4], []]]),
        (1, 4, [[[0, 1, 2, 3]], [[4, 5, 6, 7]], [[8]]]),
        (3, 10, [[[0, 1, 2], [3, 4, 5, 6], [7, 8]]]),
    ],
)
def test_ten_numbers(lanes, length, expected):
    """Two lanes: two sequences of five. Behind the last number nothing came, so no forecast of it counts."""
    batches = turn(Runs(counting(10), lanes, length, seed=1))
    order = batches[0].values[:, 0, 0].argsort()
    read = [[batch.values[lane, :-1, 0][np.isfinite(batch.target[lane])] for lane in order] for batch in batches]
    assert [[row.tolist() for row in rows] for rows in read] == expected
    for batch, rows in zip(batches, read, strict=True):
        for lane, row in zip(order, rows, strict=True):
            assert (batch.target[lane][np.isfinite(batch.target[lane])] == row + 1).all()
    assert [batch.begins.all() for batch in batches] == [True] + [False] * (len(batches) - 1)


def test_every_step_is_forecast_once_a_turn_and_read_with_its_own_past_only():
    panel = counting(23, 7, 40, 2)
    runs = Runs(panel, lanes=4, length=3, seed=5)
    targets, state = [], np.full(4, np.nan)
    for batch in turn(runs):
        for lane in range(4):
            line = batch.values[lane, :, 0]
            if np.isfinite(line[0]):
                goes_on = not batch.begins[lane]
                assert (line[0] == state[lane] + 1) == goes_on or not goes_on
                assert (np.diff(line[np.isfinite(line)]) == 1).all(), "two series in one sequence"
            else:
                assert batch.begins[lane]
            seen = line[:-1][np.isfinite(line[:-1])]
            state[lane] = seen[-1] if len(seen) else np.nan
            targets += batch.target[lane][np.isfinite(batch.target[lane])].tolist()
    first = {0.0, 100.0, 200.0, 300.0}
    assert sorted(targets) == sorted(set(panel.target.tolist()) - first)


def test_a_batch_is_a_function_of_seed_and_step():
    panel = counting(*[9] * 8)
    runs, again, other = Runs(panel, 2, 4, 1), Runs(panel, 2, 4, 1), Runs(panel, 2, 4, 2)
    late = 2 * runs.around + 3
    assert np.array_equal(runs.batch(late).values, again.batch(late).values, equal_nan=True)
    same = [np.array_equal(runs.batch(s).values, other.batch(s).values, equal_nan=True) for s in range(runs.around)]
    assert not all(same)


def test_columns_gaps_filling_and_what_lies_behind_the_end():
    flag = np.arange(48.0)
    panel = seasonal_panel(series=2, steps=24, known_flag=flag, static_size=np.repeat([1.0, 2.0], 24))
    panel = panel.with_calendar(["hour"])
    panel.values[5:7, 0] = np.nan
    seen = panel.until(20)
    runs = Runs(seen, 2, 21, 1)
    batch = runs.batch(0)
    assert batch.values.shape == (2, 22, 4) and sorted(batch.static[:, 0].tolist()) == [1, 2]
    lane = int(batch.static[:, 0].argmin())
    assert np.isnan(batch.values[lane, 21]).all() and np.isnan(batch.target[lane, 20])
    assert batch.values[lane, :21, 1].tolist() == list(range(21))
    assert batch.values[lane, 6, 2:] == pytest.approx([np.sin(np.pi / 2), 0], abs=1e-6)
    assert np.isnan(batch.values[lane, 5:7, 0]).all() and np.isnan(batch.target[lane, 4:6]).all()
    filled = Runs(replace(seen, filling="forward"), 2, 21, 1).batch(0)
    assert (filled.values[lane, 5:7, 0] == filled.values[lane, 4, 0]).all()
    assert np.isnan(filled.target[lane, 4:6]).all(), "what counts stays as it was observed"


def test_windows_as_sequences_say_every_step_or_those_behind_the_lookback():
    panel = counting(30)
    windows = training_windows(panel, 4, 2)
    batch = windows.gather(np.array([5]))
    whole = sequences(batch, 0, "none")
    assert whole.values[0, :, 0].tolist() == [5, 6, 7, 8, 9, 10]
    assert whole.target[0].tolist() == [6, 7, 8, 9, 10]
    last = sequences(batch, 0, "none", np.arange(6)[None] >= 4)
    assert np.isnan(last.target[0, :3]).all() and last.target[0, 3:].tolist() == [9, 10]


def test_a_short_series_stands_at_the_front_of_its_sequence():
    panel = counting(6)
    batch = training_windows(panel, 10, 2).gather(slice(None))
    values = sequences(batch, 0, "none").values[0, :, 0]
    assert np.isfinite(values[0]) and np.isnan(values[-1])


def test_series_of_one_step_are_refused():
    with pytest.raises(DataError, match="no series has two steps to learn from"):
        Runs(counting(5).until(0), 2, 3, 1).batch(0)
