"""What becomes of every kind of bad input: refused with place and remedy, or put right as it is documented."""

import os

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.forecasting.inference import check_transform
from forecaster.series import csvtext, read_csv, training_windows
from tests.series.small import days, write
from tests.series.test_files import but, daily, lines

DAYS = days(30)
EUROPEAN = {"separator": ";", "decimal": ",", "thousands": "."}
BERLIN = {"zone": "Europe/Berlin"}


def european(*cells):
    return "ds;y\n" + "".join(f"{day};{cell}\n" for day, cell in zip(DAYS, cells, strict=False))


def hours(start, count, freq="h"):
    """Local times of Berlin, as its clocks showed them."""
    shown = pd.date_range(start, periods=count, freq=freq, tz="Europe/Berlin").tz_localize(None)
    return [str(stamp) for stamp in shown]


AUTUMN, SPRING = hours("2024-10-26T22:00", 8), hours("2024-03-30T22:00", 8)
"""A night in which 2 o'clock comes twice, and one in which it does not come."""

# what is wrong: (the file, what is told about it, what the error says behind the file's name)
REFUSED = {
    # the file
    "NUL byte": ("ds,y\n2024-01-01,1\n2024-01-02,1\x002\n", {}, ["row 3: has a NUL byte", "save it as UTF-8 text"]),
    "unclosed quote": (lines("2024-01-01,1", '2024-01-02,"2', "2024-01-03,3"), {}, ["row 3", "close every quote"]),
    "UTF-16, untold and unmarked": (
        daily().encode("utf-16-le"), {}, ["row 1: has a NUL byte", 'write `encoding: "utf-16"`'],
    ),
    "UTF-16, which it is not": (daily(), {"encoding": "utf-16"}, ["is not utf-16 text"]),
    "Latin-1, untold": (daily(but(3, "é")).encode("latin-1"), {}, ["is not UTF-8 text", "say `encoding:`"]),
    # the columns
    "semicolons": (european("1"), {}, ["separated by ';', not by ','", '`separator: ";"`', '`decimal: ","`']),
    "tabs": ("ds\ty\n2024-01-01\t1\n", {}, ['`separator: "\\t"`']),
    "commas, where semicolons were told": (daily(), {"separator": ";"}, ["separated by ','", '`separator: ","`']),
    "a wide table with an id": (daily(), {"layout": "wide", "id": "name"}, ["neither `id` nor `past`", "long form"]),
    "a wide table without series": (lines("2024-01-01", header="ds"), {"layout": "wide"}, ["no column of a series"]),
    "text in a wide table": (
        daily(lambda n: f"{n},{'x' if n == 3 else n}", "ds,a,b"), {"layout": "wide"},
        ["row 5, column 'b': 'x' is not a number"],
    ),
    # the numbers
    "thousands separators": (daily(but(3, '"1,234"')), {}, ["row 5, column 'y': '1,234'", "`thousands:`"]),
    "decimal comma": (daily(but(3, '"3,5"')), {}, ["row 5, column 'y': '3,5'", "`decimal:`"]),
    "decimal comma for thousands": (
        daily(but(3, '"3,5"')), {"thousands": ","}, ["row 5, column 'y': '3,5' is not a number"],
    ),
    "decimal point among commas": (
        european("1,5", "2.5"), {"separator": ";", "decimal": ","},
        ["row 3, column 'y': '2.5' has a decimal point", "`thousands:`"],
    ),
    "text among decimal commas": (european("1,5", "x"), EUROPEAN, ["row 3, column 'y': 'x' is not a number"]),
    "a decimal point that is not a thousands separator": (
        european("0,5", "0.123"), EUROPEAN, ["row 3, column 'y': '0.123' has a decimal point"],
    ),
    "the same below zero": (european("0,5", "-0.250"), EUROPEAN, ["row 3, column 'y': '-0.250' has a decimal point"]),
    "the same with an exponent": (european("0,5", "1.5e3"), EUROPEAN, ["row 3, column 'y': '1.5e3' has a decimal"]),
    "a decimal comma that is not a thousands separator": (
        daily(but(3, '"0,123"')), {"thousands": ","}, ["row 5, column 'y': '0,123' is not a number"],
    ),
    "values that differ where 32-bit numbers do not": (
        daily(lambda n: 1_000_000_001 + n, stamps=[*DAYS, DAYS[29]]), {},
        ["row 32: series 'y' has ds '2024-01-30' twice with different values (also row 31)"],
    ),
    "1e308": (daily(but(3, "1e308")), {}, ["row 5, column 'y': 1e+308 is infinite or above 1e+17", "rescale"]),
    "minus infinity": (daily(but(3, "-inf")), {}, ["row 5, column 'y': -inf is infinite"]),
    "nothing but missing": (daily(lambda _: ""), {"freq": "D"}, ["series 'y' has no target at all"]),
    # the time
    "between two microseconds": (
        daily(stamps=["2024-01-01T00:00:00.0000005", "2024-01-01T00:00:01"]), {},
        ["row 2, column 'ds': '2024-01-01T00:00:00.0000005' lies between two microseconds", "round the stamps"],
    ),
    "counts beyond 2^63": (
        daily(stamps=[1, 2, 2**64 - 3]), {}, ["row 4, column 'ds': 18446744073709551613 is above 2^62", "subtract"],
    ),
    "no leap year": (daily(stamps=["2023-02-28", "2023-02-29"]), {}, ["row 3, column 'ds': '2023-02-29' is no date"]),
    "30 years of minutes": (
        daily(stamps=["1994-01-01T00:00", "1994-01-01T00:01", "1994-01-01T00:02", "2024-01-01T00:00"]), {},
        ["on the calendar min 15,778,081 steps would hold only 4 rows", "coarser `freq:`"],
    ),
    "a year with a digit too many": (
        daily(stamps=[*DAYS[:9], "9024-01-10"]), {}, ["would hold only 10 rows", "leave out stamps"],
    ),
    "seconds since 1970, untold": (daily(stamps=["1704067200.5", "x"]), {}, ["'1704067200.5' is no date"]),
    "milliseconds for seconds": (
        daily(stamps=[1704067200000, 1704070800000]), {"time_format": "epoch_s"},
        ["row 2, column 'ds': '1704067200000' as `epoch_s`", "`time_format: epoch_ms`"],
    ),
    "no seconds": (daily(stamps=[0, "x"]), {"time_format": "epoch_s"}, ["row 3, column 'ds': 'x' is no number"]),
    "a time that no clock showed": (
        daily(stamps=[*SPRING[:4], "2024-03-31 02:00:00"]), BERLIN,
        ["row 6, column 'ds': '2024-03-31 02:00:00' was shown by no clock in Europe/Berlin", "`zone: UTC`"],
    ),
    "an hour that came twice, once": (
        daily(stamps=dict.fromkeys(AUTUMN)), BERLIN, ["row 6, column 'ds': '2024-10-27 02:00:00' was shown twice",
        "does not have it twice", "with their offset from UTC"],
    ),
    "an hour that came twice, out of order": (
        daily(stamps=sorted(hours("2024-10-26T22:00", 16, "30min"))), BERLIN,
        ["row 10, column 'ds': '2024-10-27 02:00:00' was shown twice", "in no order"],
    ),
    "an hour that came twice, in no zone": (daily(stamps=AUTUMN), {}, ["twice", "offset from UTC"]),
    "no such zone": (daily(stamps=AUTUMN), {"zone": "Mars/Base"}, ["'Mars/Base' is no time zone", "Europe/London"]),
    "counts with a zone": (daily(stamps=range(9)), BERLIN, ["row 2, column 'ds': whole numbers have no time zone"]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "fragments"), REFUSED.values(), ids=REFUSED)
def test_refused_with_place_and_remedy(tmp_path, content, options, fragments):
    with pytest.raises(DataError) as error:
        read_csv(write(tmp_path, content), **options)
    message = str(error.value)
    assert all(fragment in message for fragment in fragments), message
    assert "np." not in message


# what is odd: (the file, what is told about it, its values, what is noted)
TAKEN = {
    "European numbers": (european("1.234,5", "0,5", "-1.000", "", "7"), EUROPEAN, [1234.5, 0.5, -1000, np.nan, 7], {}),
    "the same in UTF-16": (
        european("1.234,5", "0,5", "3").encode("utf-16"), {**EUROPEAN, "encoding": "utf-16"}, [1234.5, 0.5, 3], {},
    ),
    "UTF-16, as its mark says": (daily().encode("utf-16"), {}, range(30), {}),
    "UTF-16 of a told order, marked": (
        daily().encode("utf-16"), {"encoding": "utf-16-le"}, range(30), {},
    ),
    "UTF-16 of a told order, unmarked": (daily().encode("utf-16-be"), {"encoding": "utf-16-be"}, range(30), {}),
    "UTF-8, as its mark says": (("\ufeff" + daily()).encode(), {"encoding": "cp1252"}, range(30), {}),
    "blanks behind stamps": (daily(lambda n: n, stamps=[f"{day} " for day in DAYS]), {}, range(30), {}),
    "blanks behind stamps in a format": (
        daily(stamps=[f"{day} " for day in DAYS]), {"time_format": "%Y-%m-%d"}, range(30), {},
    ),
    "thousands in quotes": (
        lines('2024-01-01,"1,234.5"', "2024-01-02,7", '2024-01-03,"-1,234,567"'), {"thousands": ","},
        [1234.5, 7, -1234567], {},
    ),
    "Latin-1, as told": (
        daily(lambda n: f"{n},é", "ds,y,x").encode("latin-1"), {"encoding": "latin-1", "ignore": ["x"]}, range(30), {},
    ),
    "denormals": (
        lines("2024-01-01,1e-310", "2024-01-02,1e-42", "2024-01-03,1"), {}, [0, 1e-42, 1],
        {"too small in y": "1 values are 0 as 32-bit numbers"},
    ),
    "whole numbers beyond 2^53": (
        lines("2024-01-01,9007199254740993", f"2024-01-02,{10**17}", "2024-01-03,1"), {}, [2.0**53, 1e17, 1], {},
    ),
    "a constant series": (daily(lambda _: 5), {}, [5] * 30, {}),
    "the future": (daily(stamps=days(30, "2190-01-01")), {}, range(30), {"future": "2190-01-30, after today"}),
    "a leap day": (daily(stamps=days(30, "2024-02-01")), {}, range(30), {"gaps": "none"}),
    "seconds since 1970": (
        daily(stamps=range(1704067200, 1704067200 + 9 * 3600, 3600)), {"time_format": "epoch_s"}, range(9),
        {"span": "2024-01-01T00:00:00+00:00 to 2024-01-01T08:00:00+00:00", "time zone": "UTC"},
    ),
    "milliseconds, on a clock of a zone": (
        daily(stamps=range(1704067200000, 1704067200000 + 9 * 3600000, 3600000)),
        {"time_format": "epoch_ms", **BERLIN}, range(9), {"span": "2024-01-01T01:00:00+01:00"},
    ),
    "an hour that came twice": (
        daily(stamps=AUTUMN), BERLIN, range(8), {"gaps": "none", "clocks put back": "2 stamps", "frequency": "h"},
    ),
    "the same, backward": (
        daily(stamps=AUTUMN[::-1]), BERLIN, range(7, -1, -1), {"gaps": "none", "clocks put back": "2 stamps"},
    ),
    "an hour that did not come": (daily(stamps=SPRING), BERLIN, range(8), {"gaps": "none", "frequency": "h"}),
    "dates in a zone": (daily(), BERLIN, range(30), {"time zone": "the dates are taken without their zone"}),
    "UTC shown by a clock": (
        daily(stamps=["2024-01-01T00:00Z", "2024-01-01T01:00Z", "2024-01-01T02:00Z"]), BERLIN, range(3),
        {"span": "2024-01-01T01:00:00+01:00"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "values", "notes"), TAKEN.values(), ids=TAKEN)
def test_taken_as_documented(tmp_path, content, options, values, notes):
    panel = read_csv(write(tmp_path, content), **options)
    np.testing.assert_array_equal(panel.target, np.array(values, np.float32))
    assert all(text in panel.notes[name] for name, text in notes.items()), panel.notes


@pytest.mark.parametrize(
    "ids", [["../up", "a/b", "c\\d"], ["9007199254740992", "9007199254740993"], ["1.0", "1"], ["a b", "a  b"]]
)
def test_ids_are_names_whatever_they_look_like(tmp_path, ids):
    rows = [f"{day},1,{name}" for name in ids for day in DAYS]
    assert read_csv(write(tmp_path, lines(*rows, header="ds,y,id")), id="id").ids.tolist() == sorted(ids)


def test_the_hour_that_came_twice_is_told_apart_in_each_series(tmp_path):
    rows = [f"{stamp},{number},{name}" for number, stamp in enumerate(AUTUMN) for name in "ab"]
    panel = read_csv(write(tmp_path, lines(*rows, header="ds,y,id")), id="id", **BERLIN)
    assert panel.target.tolist() == [*range(8), *range(8)]
    assert [str(stamp) for stamp in panel.stamps(panel.first[0] + np.array([4, 5]))] == [
        "2024-10-27 02:00:00+02:00",
        "2024-10-27 02:00:00+01:00",
    ]


def test_zeros_where_logarithms_are_asked_for(tmp_path):
    panel = read_csv(write(tmp_path, daily()))
    with pytest.raises(DataError, match=r"log needs values above zero, but series 'y' has 0 at 2024-01-01"):
        check_transform(panel, "log")


def test_fewer_rows_than_a_window(tmp_path):
    with pytest.raises(DataError, match=r"a horizon of 30 needs at least 31 steps.*the longest has 30"):
        training_windows(read_csv(write(tmp_path, daily())), lookback=10, horizon=30)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    path = write(tmp_path, daily())
    path.chmod(0)
    with pytest.raises(DataError, match="may not be read; check its permissions"):
        read_csv(path)


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path = write(tmp_path, daily())
    parse = csvtext.pd.read_csv

    def slow(*given, **options):
        cells = parse(*given, **options)
        with path.open("a") as file:
            file.write("2024-01-31,30\n")
        return cells

    monkeypatch.setattr(csvtext.pd, "read_csv", slow)
    with pytest.raises(DataError, match=r"data.csv: changed while it was read; read a copy, or wait"):
        read_csv(path)


class TestWide:
    content = daily(lambda n: f"{n},{'' if n == 3 else 10 * n},{n % 7}", "ds,north,south,weekday")

    def test_a_column_a_series(self, tmp_path):
        panel = read_csv(write(tmp_path, self.content), layout="wide", ignore=["weekday"])
        assert panel.ids.tolist() == ["north", "south"]
        assert panel.history(0).tolist() == list(range(30))
        np.testing.assert_array_equal(panel.history(1)[:5], [0, 10, 20, np.nan, 40])

    def test_a_known_covariate_holds_for_all_series(self, tmp_path):
        panel = read_csv(write(tmp_path, self.content), layout="wide", known=["weekday"])
        assert panel.ids.tolist() == ["north", "south"]
        assert panel.values[[8, 38], 1].tolist() == [1, 1]

    def test_columns_in_any_order_give_the_series_by_name(self, tmp_path):
        panel = read_csv(write(tmp_path, daily(lambda n: f"{n},{-n}", "ds,b,a")), layout="wide")
        assert panel.ids.tolist() == ["a", "b"]
        assert panel.history(0).tolist() == [-n for n in range(30)]

    @pytest.mark.parametrize("name", ["y", "unique_id"])
    def test_the_time_may_be_called_anything(self, tmp_path, name):
        panel = read_csv(write(tmp_path, daily(header=f"{name},north")), layout="wide", time=name)
        assert panel.ids.tolist() == ["north"]
