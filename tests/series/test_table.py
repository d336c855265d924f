import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.series import Columns, panel_from_frame
from tests.series.small import days, table


def error_of(frame, columns=None, **options):
    with pytest.raises(DataError) as error:
        panel_from_frame(frame, columns, **options)
    return str(error.value)


class TestLayout:
    def test_series_lie_one_after_the_other_with_nan_in_the_gaps(self):
        frame = table(
            id=["b", "a", "b", "a", "b"],
            ds=["2024-01-04", "2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"],
            y=[6, 1, 4, 2, 5],
        )
        panel = panel_from_frame(frame, Columns("id"), freq="D")
        assert panel.ids.tolist() == ["a", "b"]
        np.testing.assert_array_equal(panel.target, np.array([1, 2, 4, 5, np.nan, 6], np.float32))
        assert panel.offsets.tolist() == [0, 2, 6]
        assert panel.ends.tolist() == [2, 6]
        assert panel.first.tolist() == [0, 0]
        assert panel.last.tolist() == [1, 3]
        assert panel.notes["gaps"] == "1 of 6 steps missing, in 1 gap, the longest of 1 step"

    def test_columns_lie_as_target_past_known(self):
        frame = table(ds=days(3), k=[7, 8, 9], y=[1, 2, 3], p=[4, 5, 6], s=[0.5] * 3, extra=["x"] * 3)
        columns = Columns(past=["p"], known=["k"], static=["s"], ignore=["extra"])
        panel = panel_from_frame(frame, columns, freq="D")
        assert panel.values.tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]
        assert panel.values.dtype == np.float32
        assert panel.static_values.tolist() == [[0.5]]

    def test_a_series_ends_at_its_last_target_and_only_known_covariates_go_on(self):
        frame = table(ds=days(5), y=[1, 2, 3, None, None], p=[1, 2, 3, 4, None], k=[1, 2, 3, 4, 5])
        panel = panel_from_frame(frame, Columns(past=["p"], known=["k"]), freq="D")
        assert panel.ends.tolist() == [3]
        assert np.isnan(panel.values[3:, :2]).all()
        assert panel.values[:, 2].tolist() == [1, 2, 3, 4, 5]
        told = "1 value before the first or behind the last target of their series; left out"
        assert panel.notes["past covariates"] == told

    def test_a_series_begins_at_its_first_target_as_if_the_rows_before_it_were_not_there(self):
        frame = table(
            id=list("aaaabbbb"), ds=days(4) * 2, y=[None, None, 3, 4, None, 6, None, 8], p=range(8), k=range(8),
            s=[5, None, None, None, 7, 7, 7, 7],
        )  # fmt: skip
        columns = Columns("id", past=["p"], known=["k"], static=["s"])
        panel = panel_from_frame(frame, columns, freq="D", missing="mask")
        assert panel.first.tolist() == [2, 1] and panel.lengths.tolist() == [2, 3]
        rows = [[3, 2, 2], [4, 3, 3], [6, 5, 5], [np.nan, 6, 6], [8, 7, 7]]
        np.testing.assert_array_equal(panel.values, np.array(rows, np.float32))
        assert panel.static_values.tolist() == [[5], [7]]
        assert panel.notes["gaps"] == "1 of 5 steps missing, in 1 gap, the longest of 1 step"
        assert panel.notes["past covariates"].startswith("3 values before the first or behind the last target")
        assert panel_from_frame(frame[:4], columns, freq="D", missing="error").notes["gaps"] == "none"

    def test_the_input_is_not_changed(self):
        frame = table(ds=days(4)[::-1], y=[4, 3, 2, 1])
        before = frame.copy()
        panel_from_frame(frame, freq="D")
        pd.testing.assert_frame_equal(frame, before)

    def test_one_series_is_named_by_its_target(self):
        panel = panel_from_frame(table(ds=days(4), demand=range(4)), Columns(target="demand"))
        assert panel.ids.tolist() == ["demand"]


class TestIds:
    @pytest.mark.parametrize("ids", [["001", "01", "1"], ["Zürich", "de", "北京"], ["A", "a", "ä"]])
    def test_text_stays_as_it_is(self, ids):
        frame = table(id=np.repeat(ids, 3), ds=days(3) * 3, y=range(9))
        assert panel_from_frame(frame, Columns("id")).ids.tolist() == sorted(ids)

    def test_numbers_and_categories_become_text(self):
        for ids in (np.repeat([10, 9], 3), pd.Categorical(np.repeat(["10", "9"], 3))):
            assert panel_from_frame(table(id=ids, ds=days(3) * 2, y=range(6)), Columns("id")).ids.tolist() == [
                "10",
                "9",
            ]

    @pytest.mark.parametrize("empty", [None, "", "  "])
    def test_an_empty_one_is_refused(self, empty):
        frame = table(id=["a", "a", empty], ds=days(3), y=range(3))
        assert error_of(frame, Columns("id")) == "frame, row 2, column 'id': empty; name the series"


class TestRepairs:
    def test_unsorted_rows_are_sorted_and_noted(self):
        panel = panel_from_frame(table(ds=days(4)[::-1], y=[4, 3, 2, 1]))
        assert panel.target.tolist() == [1, 2, 3, 4]
        assert "sorted" in panel.notes["sorted"]

    @pytest.mark.parametrize("ids", [list("aabb"), ["s2", "s2", "s10", "s10"]], ids=["by name", "by number"])
    def test_sorted_rows_are_not_noted(self, ids):
        panel = panel_from_frame(table(id=ids, ds=days(2) * 2, y=range(4)), Columns("id"), freq="D")
        assert "sorted" not in panel.notes
        assert panel.history(panel.ids.tolist().index(ids[0])).tolist() == [0, 1]

    def test_nor_are_those_of_many_series_moment_by_moment(self):
        panel = panel_from_frame(table(id=list("abab"), ds=np.repeat(days(2), 2), y=range(4)), Columns("id"), freq="D")
        assert "sorted" not in panel.notes and panel.target.tolist() == [0, 2, 1, 3]

    def test_exact_repetitions_are_dropped_and_noted(self):
        stamps = days(4)
        panel = panel_from_frame(
            table(ds=[*stamps, stamps[1], stamps[1], stamps[2]], y=[1, 2, np.nan, 4, 2, 2, np.nan])
        )
        np.testing.assert_array_equal(panel.target, [1, 2, np.nan, 4])
        assert panel.notes["duplicates"] == "rows that repeat another exactly: 3; dropped"
        assert panel.notes["rows"] == 7

    @pytest.mark.parametrize("other", [9.0, np.nan])
    def test_two_different_values_at_one_time_are_refused(self, other):
        message = error_of(table(ds=[*days(4), "2024-01-02"], y=[1, 2, 3, 4, other]), source="a.csv", first_row=2)
        assert message.startswith(
            "a.csv, row 6: series 'y' has ds '2024-01-02' twice with different values (also row 3)"
        )
        assert "name the id column" in message
        assert "offset from UTC" in message

    def test_a_covariate_counts_as_a_difference(self):
        frame = table(ds=[*days(4), "2024-01-02"], y=[1, 2, 3, 4, 2], p=[1, 1, 1, 1, 5])
        assert "row 4: series 'y' has ds '2024-01-02' twice" in error_of(frame, Columns(past=["p"]))

    def test_what_32_bit_numbers_cannot_tell_apart_is_a_difference(self):
        values = [1000000001, 1000000200, 1000000400, 1000000900, 1000000210]
        frame = table(ds=[*days(4), "2024-01-02"], y=values)
        assert "row 4: series 'y' has ds '2024-01-02' twice with different values (also row 1)" in error_of(frame)
        frame = frame.assign(y=[1, 2, 3, 4, 2], s=values)
        assert "twice with different values" in error_of(frame, Columns(static=["s"]))

    def test_rounding_is_no_difference(self):
        """The same sum in another order, and a value that went through 32 bits."""
        sums = [0.1 + 0.2 + 0.3, 2.5, float(np.float32(0.1)), 7.0, 0.3 + 0.2 + 0.1, 0.1]
        frame = table(ds=[*days(4), "2024-01-01", "2024-01-03"], y=sums)
        assert panel_from_frame(frame, freq="D").notes["duplicates"].startswith("rows that repeat another exactly: 2")
        columns = Columns(static=["s"])
        assert len(panel_from_frame(frame.assign(y=[1, 2, 3, 4, 1, 3], s=np.float32(0.1)), columns)) == 1
        mixed = frame.assign(y=[1, 2, 3, 4, 1, 3], s=[float(np.float32(0.1)), *[0.1] * 5])
        assert panel_from_frame(mixed, columns).static_values.tolist() == [[np.float32(0.1)]]

    def test_labels_that_repeat_do_not_name_two_rows(self):
        frame = table(ds=[*days(4), *days(4)], y=range(8)).set_axis([*range(4), *range(4)])
        message = error_of(frame)
        assert (
            "row 0: " in message and "(also row 0: the labels repeat, by place they are rows 0 and 4 from 0" in message
        )


class TestNumbers:
    @pytest.mark.parametrize(
        ("column", "values"),
        [
            (["1", " 2.5 ", "-3e2"], [1, 2.5, -300]),
            (["1", "", None], [1, None, None]),
            ([True, False, True], [1, 0, 1]),
            ([True, None, False], [1, None, 0]),
            (pd.array([1, None, 3], dtype="Int64"), [1, None, 3]),
            (pd.Categorical([4, 5, 4]), [4, 5, 4]),
        ],
    )
    def test_what_is_read(self, column, values):
        panel = panel_from_frame(table(ds=days(3), y=[1, 2, 3], p=column), Columns(past=["p"]), freq="D")
        np.testing.assert_array_equal(panel.values[:, 1], np.array(values, np.float32))

    @pytest.mark.parametrize(
        ("cell", "fragments"),
        [
            ("abc", ["'abc' is not a number", "decimal point", "leave it empty"]),
            ("1,5", ["'1,5' is not a number", "decimal point"]),
            ("1,234.5", ["thousands separators"]),
            ("5 %", ["'5 %' is not a number"]),
            (pd.Timestamp("2024-01-01"), ["2024-01-01 00:00:00 is not a number"]),
            (np.inf, ["inf is infinite", "leave it empty", "rescale"]),
            ("-inf", ["'-inf' is infinite"]),
            (1e308, ["1e+308 is infinite or above 1e+17", "too large for 32-bit numbers"]),
            (-2e17, ["-2e+17 is infinite or above 1e+17"]),
        ],
    )
    @pytest.mark.parametrize("place", ["y", "p"])
    def test_what_is_refused(self, cell, fragments, place):
        column = pd.Series([1.0, 2.0, cell, 4.0], dtype=object if not isinstance(cell, float) else None)
        frame = table(**{"ds": days(4), "y": [1, 2, 3, 4], "p": [1, 2, 3, 4], place: column})
        message = error_of(frame, Columns(past=["p"]), freq="D")
        assert message.startswith(f"frame, row 2, column {place!r}: ")
        assert all(fragment in message for fragment in fragments), message

    def test_missing_covariates_are_counted_where_there_is_a_target(self):
        frame = table(
            id=list("aaabbb"),
            ds=days(3) * 2,
            y=[1, 2, 3, 4, None, 6],
            p=[1, None, 3, 4, None, 6],
            k=[1] * 6,
            s=[1] * 3 + [None] * 3,
        )
        panel = panel_from_frame(frame, Columns("id", past=["p"], known=["k"], static=["s"]), freq="D")
        assert panel.notes["missing covariates"] == "1 of p, 1 of s"


class TestStatic:
    def test_one_value_a_series_from_the_rows_that_tell_it(self):
        frame = table(id=list("aaabbb"), ds=days(3) * 2, y=range(6), s=[None, 2, None, 3, 3, 3])
        panel = panel_from_frame(frame, Columns("id", static=["s"]), freq="D")
        assert panel.static_values.tolist() == [[2], [3]]

    def test_one_that_changes_is_refused(self):
        frame = table(id=list("aaabbb"), ds=days(3) * 2, y=range(6), s=[1, 1, 1, 3, 4, 3])
        message = error_of(frame, Columns("id", static=["s"]), freq="D")
        assert message == "frame, row 4: static column 's' changes within series 'b'; declare it as past or known"

    def test_changes_that_32_bit_numbers_do_not_show(self):
        frame = table(id=list("aaabbb"), ds=days(3) * 2, y=range(6), s=[20_000_000, 20_000_001, 20_000_000, 1, 1, 1])
        assert "row 1: static column 's' changes within series 'a'" in error_of(
            frame, Columns("id", static=["s"]), freq="D"
        )
        frame["s"] = [0.3, 0.1 + 0.2, 0.3, 1, 1, 1]  # the rounding of 64-bit numbers
        assert "rounding in s" not in panel_from_frame(frame, Columns("id", static=["s"]), freq="D").notes

    def test_values_that_become_equal_are_told_of(self):
        frame = table(id=list("aaabbb"), ds=days(3) * 2, y=range(6), s=[20_000_000] * 3 + [20_000_001] * 3)
        panel = panel_from_frame(frame, Columns("id", static=["s"]), freq="D")
        assert panel.notes["rounding in s"].startswith("20000000 and 20000001 are equal as 32-bit numbers; subtract")


class TestColumns:
    @pytest.mark.parametrize(
        ("columns", "fragments"),
        [
            (Columns(target="demand"), ["no column 'demand'", "the columns are id, ds, y, p"]),
            (Columns(), ["columns id, p not declared", "id, target, past, known, static or ignore"]),
            (Columns("id"), ["column p not declared"]),
            (Columns("id", past=["p"], known=["p"]), ["'p' is declared twice", "one part"]),
            (Columns("id", target="ds", past=["p"]), ["'ds' is declared twice"]),
            (Columns("id", target="p", past=["y"]), ["no covariate can be called 'y'", "rename"]),
        ],
    )
    def test_what_is_refused(self, columns, fragments):
        message = error_of(table(id=["a"] * 3, ds=days(3), y=range(3), p=range(3)), columns)
        assert all(fragment in message for fragment in fragments), message

    def test_a_doubled_header(self):
        frame = pd.DataFrame([["2024-01-01", 1, 2]], columns=["ds", "y", "y"])
        assert error_of(frame) == "frame: the header has 'y' twice; rename one of the columns"

    def test_names_may_be_numbers(self):
        frame = pd.DataFrame({0: days(3), 1: [1, 2, 3]})
        assert panel_from_frame(frame, Columns(time="0", target="1")).target.tolist() == [1, 2, 3]


class TestGrid:
    def test_a_stamp_off_the_calendar(self):
        frame = table(ds=["2024-01-05", "2024-01-06", "2024-01-08"], y=range(3))
        message = error_of(frame, freq="B", source="a.csv", first_row=2)
        assert message.startswith(
            "a.csv, row 3: 2024-01-06 (Saturday) is not on the calendar B (1 of 3 stamps are not)"
        )
        assert "another `freq:`" in message

    def test_mondays_are_not_on_weeks_that_begin_on_sunday(self):
        message = error_of(table(ds=days(5, freq="W-MON"), y=range(5)), freq="W-SUN")
        assert "row 0: 2024-01-01 (Monday) is not on the calendar W-SUN (5 of 5 stamps are not)" in message

    def test_a_grid_that_would_be_nearly_empty(self):
        frame = table(ds=[*days(60), "2524-01-01"], y=range(61))
        message = error_of(frame)
        assert "on the calendar D 182,622 steps would hold only 61 rows" in message
        assert "coarser `freq:`" in message

    def test_a_series_without_any_target(self):
        frame = table(id=list("aabbcc"), ds=days(2) * 3, y=[1, 2, None, None, None, None])
        message = error_of(frame, Columns("id"), freq="D")
        assert message == "frame: series 'b' has no target at all (nor have 1 more); leave it out"

    def test_gaps_are_refused_where_that_was_asked(self):
        frame = table(id=list("aaabbb"), ds=days(3) * 2, y=[1, 2, 3, 4, None, 6])
        message = error_of(frame, Columns("id"), freq="D", missing="error")
        assert message.startswith("frame: series 'b' has no target at 2024-01-02 (missing steps: 1)")
        assert "`missing: mask`" in message


class TestClock:
    @pytest.mark.parametrize(
        ("stamps", "clock", "shared"),
        [
            (days(3), "auto", True),
            ([1, 2, 3], "auto", False),
            (days(3), "own", False),
            ([1, 2, 3], "shared", True),
        ],
    )
    def test_whole_numbers_are_a_clock_of_their_own(self, stamps, clock, shared):
        assert panel_from_frame(table(ds=stamps, y=range(3)), clock=clock).shared_clock is shared


class TestFrequency:
    def test_it_is_told_whether_it_was_inferred(self):
        frame = table(ds=days(3), y=range(3))
        assert panel_from_frame(frame).notes["frequency"] == "D (inferred from the time stamps)"
        assert panel_from_frame(frame, freq="D").notes["frequency"] == "D (as told)"

    @pytest.mark.parametrize(
        ("stamps", "freq", "fragments"),
        [
            ([1, 2, 3], "D", ["time stamps are whole numbers, so freq must be a whole number; found 'D'"]),
            (days(3), 1, ["time stamps are dates, so freq must be a pandas alias or an exchange; found 1"]),
            (days(3), np.int64(1), ["must be a pandas alias or an exchange; found 1"]),
            (days(3), True, ["must be a pandas alias or an exchange; found True"]),
            ([1, 2, 3], True, ["must be a whole number; found True"]),
            (days(3), "fortnight", ["a.csv: freq: 'fortnight' is neither"]),
            ([20240130, 20240131, 20240201], None, ["20240130 may be a date or a count", '"%Y%m%d"', "`freq: 1`"]),
        ],
    )
    def test_what_is_refused(self, stamps, freq, fragments):
        message = error_of(table(ds=stamps, y=range(3)), freq=freq, source="a.csv")
        assert all(fragment in message for fragment in fragments), message

    def test_whole_numbers_of_any_type(self):
        panel = panel_from_frame(table(ds=[1, 2, 3], y=range(3)), freq=np.int64(1))
        assert (panel.calendar.name, panel.notes["frequency"]) == ("1", "1 (as told)")

    def test_counts_that_look_like_dates_are_counts_where_that_was_said(self):
        panel = panel_from_frame(table(ds=[20240129, 20240130, 20240131], y=range(3)), freq=1)
        assert panel.stamps(panel.last).tolist() == [20240131]

    def test_years_are_counts(self):
        assert panel_from_frame(table(ds=[1999, 2000, 2001], y=range(3))).calendar.name == "1"


def test_rows_are_named_by_their_label():
    frame = table(ds=days(9), y=[1, 2, 3, 4, "five", 6, 7, 8, 9])
    assert error_of(frame[2:]).startswith("frame, row 4, column 'y'")
    assert error_of(frame.set_axis(list("abcdefghi"))).startswith("frame, row e, column 'y'")
