import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import DataError
from forecaster.series import Windows, forecast_windows, training_windows
from tests.series.small import one_series, panel_of_lengths

NAN = np.nan


def origins(windows):
    return windows.locate(slice(None))[1].tolist()


def slow_gather(panel, lookback, horizon, series, origin):
    """One window, value by value, from what the words of `Windows` say."""
    begin, stop = panel.offsets[series], panel.offsets[series + 1]

    def cell(row, column):
        return panel.values[row, column] if begin <= row < stop else NAN

    columns = range(panel.values.shape[1])
    known = range(1 + len(panel.past), panel.values.shape[1])
    past = [[cell(row, column) for column in columns] for row in range(origin - lookback, origin)]
    future = [[cell(row, column) for column in known] for row in range(origin, origin + horizon)]
    target = [cell(row, 0) for row in range(origin, origin + horizon)]
    return past, np.reshape(future, (horizon, len(known))), target


@st.composite
def panels(draw):
    lengths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    panel = panel_of_lengths(
        lengths, past=draw(st.sampled_from([(), ("p",)])), known=draw(st.sampled_from([(), ("k",)]))
    )
    for row in draw(st.lists(st.integers(0, len(panel.values) - 1), max_size=4)):
        if row not in panel.offsets:  # a series begins at its first observed target
            panel.values[row, 0] = NAN
    return panel


class TestGather:
    def test_by_hand(self):
        panel = one_series([1, 2, 3, 4, 5], past=[11, 12, 13, 14, 15], known=[21, 22, 23, 24, 25], static=[7] * 5)
        batch = Windows(panel, 2, 2, np.array([0]), np.array([3])).gather(slice(None))
        assert batch.past.tolist() == [[[2, 12, 22], [3, 13, 23]]]
        assert batch.known.tolist() == [[[24], [25]]]
        assert batch.static.tolist() == [[7]]
        assert batch.target.tolist() == [[4, 5]]
        assert set(batch.inputs) == {"past", "known", "static"}

    def test_without_covariates_there_is_only_the_past(self):
        batch = forecast_windows(one_series([1, 2, 3]), 2, 2).gather(slice(None))
        assert set(batch.inputs) == {"past"}
        assert batch.known.shape == (1, 2, 0)
        assert batch.static.shape == (1, 0)

    def test_before_the_start_and_behind_the_end_there_is_nothing(self):
        panel = panel_of_lengths([3, 3])
        batch = Windows(panel, 5, 4, np.array([0, 1]), np.array([2, 4])).gather(slice(None))
        np.testing.assert_array_equal(batch.past[:, :, 0], [[NAN, NAN, NAN, 0, 100], [NAN, NAN, NAN, NAN, 300]])
        np.testing.assert_array_equal(batch.target, [[200, NAN, NAN, NAN], [400, 500, NAN, NAN]])

    @settings(max_examples=100, deadline=None)
    @given(panels(), st.integers(1, 7), st.integers(1, 5), st.data())
    def test_equals_a_slow_loop(self, panel, lookback, horizon, data):
        series = np.array(data.draw(st.lists(st.integers(0, len(panel) - 1), min_size=1, max_size=5)))
        room = [int(panel.offsets[one + 1] - panel.offsets[one]) for one in series]
        origins = np.array(
            [panel.offsets[one] + data.draw(st.integers(0, space)) for one, space in zip(series, room, strict=True)]
        )
        batch = Windows(panel, lookback, horizon, series, origins).gather(slice(None))
        for place, (one, origin) in enumerate(zip(series, origins, strict=True)):
            past, known, target = slow_gather(panel, lookback, horizon, one, origin)
            np.testing.assert_array_equal(batch.past[place], past)
            np.testing.assert_array_equal(batch.known[place], known)
            np.testing.assert_array_equal(batch.target[place], target)

    @settings(max_examples=100, deadline=None)
    @given(panels(), st.integers(1, 7), st.integers(1, 5))
    def test_nothing_of_a_neighbouring_series_ever_appears(self, panel, lookback, horizon):
        windows = forecast_windows(panel, lookback, horizon)
        batch = windows.gather(slice(None))
        for one in range(len(panel)):
            own = np.append(panel.values[panel.offsets[one] : panel.offsets[one + 1]].ravel(), NAN)
            for part in (batch.past[one], batch.known[one], batch.target[one]):
                assert np.isin(np.nan_to_num(part, nan=-1), np.nan_to_num(own, nan=-1)).all()

    def test_a_batch_is_a_copy(self):
        panel = one_series(range(9))
        for lookback in (2, 20):
            batch = forecast_windows(panel, lookback, 1).gather(slice(None))
            batch.past[:] = -1
        assert panel.target.tolist() == list(range(9))

    def test_a_lookback_longer_than_all_data(self):
        batch = forecast_windows(one_series([1, 2]), 4, 3).gather(np.array([0]))
        np.testing.assert_array_equal(batch.past[0, :, 0], [NAN, NAN, 1, 2])
        assert np.isnan(batch.target).all()


class TestTrainingWindows:
    def test_each_origin_with_a_full_lookback(self):
        windows = training_windows(one_series(range(10)), lookback=3, horizon=2)
        assert origins(windows) == [3, 4, 5, 6, 7, 8]
        assert windows.gather(slice(None)).target[[0, -1]].tolist() == [[3, 4], [8, 9]]

    def test_a_short_series_is_padded_from_half_its_length_on(self):
        # 6 steps before the last origin: a lookback of 5 is more than half of them
        assert origins(training_windows(one_series(range(8)), lookback=5, horizon=2)) == [
            3,
            4,
            5,
            6,
        ]
        assert origins(training_windows(one_series(range(8)), lookback=3, horizon=2)) == [
            3,
            4,
            5,
            6,
        ]
        assert origins(training_windows(one_series(range(8)), lookback=2, horizon=2)) == [
            2,
            3,
            4,
            5,
            6,
        ]

    def test_windows_with_nothing_to_see_or_to_learn_are_left_out(self):
        panel = one_series([3, NAN, NAN, NAN, 7, 8])
        assert origins(training_windows(panel, lookback=3, horizon=2)) == [3]
        assert origins(training_windows(panel, lookback=4, horizon=2)) == [3, 4]

    @pytest.mark.parametrize(("steps", "horizon"), [(3, 2), (2, 1), (9, 8)])
    def test_the_shortest_series_has_one_window(self, steps, horizon):
        assert len(training_windows(one_series(range(steps)), 5, horizon)) == 1
        with pytest.raises(
            DataError, match=f"horizon of {horizon + 1} needs at least {horizon + 2} steps.*has {steps}"
        ):
            training_windows(one_series(range(steps)), 5, horizon + 1)

    @settings(max_examples=100, deadline=None)
    @given(panels(), st.integers(1, 7), st.integers(1, 5), st.data())
    def test_equals_a_slow_loop(self, panel, lookback, horizon, data):
        cutoff = data.draw(st.integers(0, 8))
        try:
            panel = panel.until(cutoff)
        except DataError:
            return
        expected = []
        for series in range(len(panel)):
            seen = np.isfinite(panel.history(series))
            room = len(seen) - horizon
            for origin in range(max(1, min(lookback, room // 2)), room + 1):
                if seen[max(origin - lookback, 0) : origin].any() and seen[origin : origin + horizon].any():
                    expected.append((series, panel.offsets[series] + origin))
        try:
            windows = training_windows(panel, lookback, horizon)
        except DataError:
            assert expected == []
            return
        assert list(zip(*windows.locate(slice(None)), strict=True)) == expected

    @settings(max_examples=100, deadline=None)
    @given(panels(), st.integers(1, 7), st.integers(1, 5), st.integers(0, 8))
    def test_law_1_no_window_shows_or_teaches_what_comes_later(self, panel, lookback, horizon, cutoff):
        try:
            windows = training_windows(panel.until(cutoff), lookback, horizon)
        except DataError:
            return
        batch = windows.gather(slice(None))
        behind = np.concatenate([panel.values[start + cutoff + 1 : stop, 0] for start, stop in
                                 zip(panel.offsets[:-1], panel.offsets[1:], strict=True)])  # fmt: skip
        assert not np.isin(batch.target, behind).any()
        assert not np.isin(batch.past[:, :, : panel.known_columns.start], behind).any()


class TestAfter:
    def test_all_targets_lie_behind_the_cutoff_of_their_series(self):
        panel = panel_of_lengths([8, 8], first=[0, 3])
        windows = training_windows(panel, 2, 2).after(np.array([4, 5]))
        assert origins(windows) == [5, 6, 8 + 3, 8 + 4, 8 + 5, 8 + 6]

    def test_none_left_is_an_error_for_people(self):
        panel = one_series([1, 2, 3, 4, 5, 6])
        with pytest.raises(DataError, match=r"no target was observed in the validation part.*more data"):
            training_windows(panel, 2, 2).after(np.array([4]))


class TestDraw:
    @pytest.fixture
    def windows(self):
        return training_windows(panel_of_lengths([10, 100, 30]), 3, 2)

    def test_a_function_of_seed_and_step(self, windows):
        twin = training_windows(panel_of_lengths([10, 100, 30]), 3, 2)
        windows.draw(8, 1, 0)
        assert windows.draw(8, 1, 5).tolist() == twin.draw(8, 1, 5).tolist()
        assert windows.draw(8, 1, 5).tolist() != windows.draw(8, 1, 6).tolist()
        assert windows.draw(8, 1, 5).tolist() != windows.draw(8, 2, 5).tolist()

    def test_every_series_has_the_same_chance(self, windows):
        drawn = windows.locate(windows.draw(6000, 1, 0))[0]
        shares = np.bincount(drawn, minlength=3) / 6000
        assert shares == pytest.approx([1 / 3] * 3, abs=0.03)

    def test_every_window_is_drawn(self, windows):
        assert set(windows.draw(6000, 1, 0)) == set(range(len(windows)))

    def test_series_without_windows_are_never_drawn(self):
        windows = training_windows(panel_of_lengths([10, 2, 10]), 3, 2)
        assert set(windows.locate(windows.draw(500, 1, 0))[0]) == {0, 2}


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [0]), (2, [0, 6]), (4, [0, 2, 4, 6]), (7, list(range(7))), (99, list(range(7)))]
)
def test_spread(count, expected):
    windows = training_windows(one_series(range(10)), 3, 1)
    assert len(windows) == 7
    assert windows.spread(count).tolist() == expected


class TestCounts:
    """What windows cost in bytes, counted: a million of them take no room, and a batch takes its own."""

    @pytest.mark.parametrize("lookback", [24, 2000])
    def test_windows_of_a_million_points_keep_no_copy_of_them(self, lookback):
        values = np.random.default_rng(1).normal(size=1_000_000).astype(np.float32)
        panel = replace(one_series([1.0]), values=values[:, None], offsets=np.array([0, 10**6]), ends=np.array([10**6]))
        tracemalloc.start()
        windows = training_windows(panel, lookback, 48)
        windows.gather(windows.draw(256, 1, 0))
        windows.gather(windows.draw(256, 1, 1))
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(windows) == 1_000_000 - lookback - 47
        assert kept < 0.01 * values.nbytes

    def test_a_batch_takes_its_own_values_once(self):
        windows = training_windows(panel_of_lengths([5000, 5000]), 168, 48)
        chosen = windows.draw(512, 1, 0)
        windows.gather(chosen)
        tracemalloc.start()
        batch = windows.gather(chosen)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(batch.past) * (168 + 48) * 4 <= peak < 1.1 * len(batch.past) * (168 + 48) * 4
