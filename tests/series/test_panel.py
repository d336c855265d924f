import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecaster.errors import DataError, ForecasterError
from forecaster.series import Columns, Panel, panel_from_frame
from forecaster.series.calendar import OFF_GRID
from tests.series.small import days, one_series, panel_of_lengths

COLUMNS = Columns("id", past=["p"], known=["k"], static=["s"])
AGAIN = Columns("unique_id", past=["p"], known=["k"], static=["s"])

cells = st.one_of(st.integers(-9, 9), st.integers(-9, 9), st.none())
GRIDS = {
    "D": pd.date_range("2024-01-29", periods=30),
    "B": pd.date_range("2024-01-31T17:30", periods=30, freq="B"),
    "ME": pd.date_range("2024-01-31", periods=30, freq="ME"),
    "W-WED": pd.date_range("2024-01-31", periods=30, freq="W-WED"),
    "15min": pd.date_range("2024-02-28T23:00", periods=30, freq="15min"),
    5: pd.Index(range(3, 153, 5)),
}


@st.composite
def frames(draw):
    """A small table and its frequency: most of them good, some with a flaw."""
    freq = draw(st.sampled_from(sorted(GRIDS, key=str)))
    parts = []
    for name in draw(st.lists(st.sampled_from(["a", "01", "1", "ü"]), unique=True, min_size=1, max_size=3)):
        ticks = draw(st.lists(st.integers(0, 29), unique=True, min_size=1, max_size=8))
        columns = {part: draw(st.lists(cells, min_size=len(ticks), max_size=len(ticks))) for part in "ypk"}
        columns["y"][0] = draw(st.integers(-9, 9))
        parts.append(pd.DataFrame({"id": name, "ds": GRIDS[freq][ticks], **columns, "s": draw(cells)}))
    frame = pd.concat(parts, ignore_index=True)
    row = draw(st.integers(0, len(frame) - 1))
    match draw(st.sampled_from(["none", "none", "none", "again", "twice", "large", "stray", "unseen", "empty"])):
        case "again":
            frame = pd.concat([frame, frame.iloc[[row]]], ignore_index=True)
        case "twice":
            frame = pd.concat([frame, frame.iloc[[row]].assign(y=99)], ignore_index=True)
        case "large":
            frame["k"] = frame["k"].astype(float)
            frame.loc[row, "k"] = draw(st.sampled_from([np.inf, -np.inf, 1e308]))
        case "stray":
            frame.loc[row, "ds"] = 4 if freq == 5 else pd.Timestamp("2024-03-02T07:00")
        case "unseen":
            frame.loc[frame["id"] == frame["id"][row], "y"] = None
        case "empty":
            frame = frame.iloc[:0]
    return frame, draw(st.sampled_from([freq, freq, None, "h", 7]))


def kept_promises(panel: Panel) -> None:
    assert panel.ids.tolist() == sorted(set(panel.ids))
    assert panel.values.dtype == np.float32
    assert panel.values.flags.c_contiguous
    assert not np.isinf(panel.values).any()
    assert panel.offsets[0] == 0
    assert panel.offsets[-1] == len(panel.values)
    assert (panel.offsets[:-1] < panel.ends).all()
    assert (panel.ends <= panel.offsets[1:]).all()
    assert np.isfinite(panel.target[panel.offsets[:-1]]).all()
    assert np.isfinite(panel.target[panel.ends - 1]).all()
    for series in range(len(panel)):
        future = slice(panel.ends[series], panel.offsets[series + 1])
        assert np.isnan(panel.values[future, : panel.known_columns.start]).all()
        ticks = panel.first[series] + np.arange(panel.offsets[series + 1] - panel.offsets[series])
        assert panel.calendar.ticks(panel.calendar.stamps(ticks)).tolist() == ticks.tolist()


def holds_each_row_once(panel: Panel, frame: pd.DataFrame) -> None:
    """Every cell of the table is where its series and stamp say, and there is nothing else.

    Rows before the first target of their series are left out.
    """
    expected = np.full_like(panel.values, np.nan)
    places = {name: number for number, name in enumerate(panel.ids)}
    for row in frame.itertuples():
        series = places[row.id]
        time = np.array([row.ds]) if isinstance(row.ds, int) else np.array([row.ds.to_datetime64()], "datetime64[us]")
        tick = panel.calendar.ticks(time)[0]
        assert tick != OFF_GRID
        place = panel.offsets[series] + tick - panel.first[series]
        if tick < panel.first[series]:
            assert np.isnan(row.y)
            continue
        expected[place, [0, 2]] = np.array([row.y, row.k], np.float32)
        expected[place, 1] = row.p if place < panel.ends[series] else np.nan
    np.testing.assert_array_equal(panel.values, expected)


@settings(max_examples=120, deadline=None)
@given(frames())
def test_any_small_table_gives_a_panel_that_keeps_its_promises_or_an_error_for_people(table):
    frame, freq = table
    try:
        panel = panel_from_frame(frame, COLUMNS, freq=freq)
    except ForecasterError as error:
        assert str(error).startswith("frame")
        return
    kept_promises(panel)
    holds_each_row_once(panel, frame)
    name = panel.calendar.name
    again = panel_from_frame(panel.frame(), AGAIN, freq=int(name) if name.isdigit() else name)
    for part in ("ids", "values", "offsets", "ends", "static_values"):
        np.testing.assert_array_equal(getattr(again, part), getattr(panel, part))
    assert list(again.stamps(again.first)) == list(panel.stamps(panel.first))


class TestFrame:
    def test_a_row_for_every_step_of_the_grid(self):
        panel = one_series([1, np.nan, 3, np.nan], past=[1, 2, 3, 4], known=[5, 6, 7, 8], static=[9, 9, 9, 9])
        expected = pd.DataFrame(
            {
                "unique_id": pd.Series(["y"] * 4, dtype=object),
                "ds": pd.date_range("2024-01-01", periods=4, unit="us"),
                "y": np.array([1, np.nan, 3, np.nan], np.float32),
                "past": np.array([1, 2, 3, np.nan], np.float32),
                "known": np.array([5, 6, 7, 8], np.float32),
                "static": np.array([9, 9, 9, 9], np.float32),
            }
        )
        pd.testing.assert_frame_equal(panel.frame(), expected, check_freq=False, check_dtype=False)


class TestUntil:
    @pytest.fixture
    def panel(self):
        return one_series(range(1, 9), past=range(11, 19), known=range(21, 29))

    def test_later_targets_and_past_covariates_are_gone_and_known_ones_stay(self, panel):
        seen = panel.until(4)
        assert seen.ends.tolist() == [5]
        assert seen.last.tolist() == [4]
        assert seen.values[:5].tolist() == panel.values[:5].tolist()
        assert np.isnan(seen.values[5:, :2]).all()
        assert seen.values[:, 2].tolist() == list(range(21, 29))

    def test_it_is_a_copy(self, panel):
        seen = panel.until(7)
        seen.values[:] = 0
        assert panel.values[0].tolist() == [1, 11, 21]

    @pytest.mark.parametrize(("cutoff", "last"), [(0, 0), (6, 6), (7, 7), (8, 7), (99, 7)])
    def test_nothing_is_seen_beyond_the_end(self, panel, cutoff, last):
        assert panel.until(cutoff).last.tolist() == [last]

    def test_a_cutoff_at_a_missing_value_stays_there(self):
        assert one_series([1, 2, np.nan, np.nan, 5]).until(3).last.tolist() == [3]

    def test_series_that_have_nothing_to_see_are_left_out(self):
        panel = panel_of_lengths([3, 4, 2], first=[0, 5, 3], known=["k"])
        seen = panel.until(4)
        assert seen.ids.tolist() == ["s0", "s2"]
        assert seen.offsets.tolist() == [0, 3, 5]
        assert seen.ends.tolist() == [3, 5]
        assert seen.first.tolist() == [0, 3]
        np.testing.assert_array_equal(seen.target, [0, 100, 200, 700, 800])

    def test_a_cutoff_for_each_series(self):
        seen = panel_of_lengths([3, 4], first=[0, 5]).until(np.array([1, 7]))
        np.testing.assert_array_equal(seen.target, [0, 100, np.nan, 300, 400, 500, np.nan])

    def test_a_cutoff_before_all_targets(self, panel):
        with pytest.raises(DataError, match="no series has an observed target up to the cutoff; give a later one"):
            panel.until(-1)

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_law_1_no_trace_of_what_comes_later(self, data):
        lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
        first = data.draw(st.lists(st.integers(0, 5), min_size=len(lengths), max_size=len(lengths)))
        panel = panel_of_lengths(lengths, first=first, past=["p"], known=["k"])
        cutoffs = np.array(data.draw(st.lists(st.integers(-1, 11), min_size=len(lengths), max_size=len(lengths))))
        changed = panel.until(99)
        for series, cutoff in enumerate(cutoffs):
            begin = min(max(panel.offsets[series] + cutoff + 1 - panel.first[series], panel.offsets[series]), 10**6)
            changed.values[begin : panel.offsets[series + 1], :2] = data.draw(st.sampled_from([-1.0, np.nan, 1e9]))
        try:
            one = panel.until(cutoffs)
        except DataError:
            with pytest.raises(DataError):
                changed.until(cutoffs)
            return
        other = changed.until(cutoffs)
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.ends, other.ends)
        known = panel.select([panel.ids.tolist().index(name) for name in one.ids]).values[:, 2]
        np.testing.assert_array_equal(one.values[:, 2], known)


class TestSelect:
    def test_it_keeps_rows_names_and_the_future(self):
        panel = panel_of_lengths([2, 3, 4], ends=[2, 4, 9], first=[0, 1, 2], known=["k"])
        chosen = panel.select([2, 1])
        assert chosen.ids.tolist() == ["s2", "s1"]
        assert chosen.offsets.tolist() == [0, 4, 7]
        assert chosen.ends.tolist() == [4, 6]
        assert chosen.first.tolist() == [2, 1]
        assert chosen.target.tolist() == [500, 600, 700, 800, 200, 300, 400]

    def test_static_values_go_along(self):
        frame = pd.DataFrame({"id": list("aabb"), "ds": days(2) * 2, "y": range(4), "s": [1, 1, 2, 2]})
        panel = panel_from_frame(frame, Columns("id", static=["s"]), freq="D")
        assert panel.select([1]).static_values.tolist() == [[2]]
