import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecaster.errors import DataError
from forecaster.series import Columns, data_hash, panel_from_frame, read_csv, read_parquet
from tests.series.small import days, write

DAYS = days(30)


def lines(*rows, header="ds,y"):
    return "\n".join([header, *rows, ""])


def daily(cell=lambda number: number, header="ds,y", stamps=DAYS):
    """A row a day."""
    return lines(*(f"{stamp},{cell(number)}" for number, stamp in enumerate(stamps)), header=header)


def but(number, odd):
    """The number of the row, but something odd in one row."""
    return lambda place: odd if place == number else place


BAD = {
    "empty file": ("", {}, ["is empty", "needs a header and rows"]),
    "empty first line": ("\n" + daily(), {}, ["begins with an empty line"]),
    "header only": ("ds,y\n", {}, ["no rows; give a table with data below its header"]),
    "one row": (lines("2024-01-01,5"), {}, ["cannot be inferred from 1 time stamp", "`freq: h`"]),
    "missing column": (daily(header="ds,demand"), {}, ["no column 'y'", "the columns are ds, demand"]),
    "missing id column": (daily(), {"id": "name"}, ["no column 'name'"]),
    "undeclared column": (
        daily(lambda n: f"{n},7", "ds,y,temp"), {}, ["column temp not declared", "past, known, static or ignore"],
    ),
    "index column of pandas": (lines("0,2024-01-01,5", header=",ds,y"), {}, ["column Unnamed: 0 not declared"]),
    "doubled header": (daily(lambda n: f"{n},7", "ds,y,y"), {}, ["the header has 'y' twice", "rename"]),
    "text among numbers": (daily(but(3, "abc")), {}, ["row 5, column 'y'", "'abc' is not a number", "leave it empty"]),
    "decimal comma": (daily(lambda n: f"{n},5"), {}, ["row 2: 3 cells, but the header has 2", "decimal point"]),
    "decimal comma in one row": (daily(but(3, "3,5")), {}, ["row 5: 3 cells, but the header has 2"]),
    "decimal comma in quotes": (daily(but(3, '"3,5"')), {}, ["row 5, column 'y'", "'3,5' is not a number"]),
    "semicolons": ("ds;y\n2024-01-01;1,5\n", {}, ["separated by ';'", "by commas", "decimal points"]),
    "tabs": ("ds\ty\n2024-01-01\t1\n", {}, [r"separated by '\t'"]),
    "inf": (daily(but(3, "inf")), {}, ["row 5, column 'y'", "inf is infinite", "leave it empty"]),
    "1e308": (daily(but(3, "1e308")), {}, ["row 5, column 'y'", "1e+308 is infinite or above", "rescale"]),
    "two values at one time": (
        daily(stamps=[*DAYS, DAYS[3]]), {},
        ["row 32: series 'y' has ds '2024-01-04' twice with different values (also row 5)", "name the id column"],
    ),
    "irregular": (
        daily(stamps=[*DAYS[:5], "2024-01-06T07:13", *DAYS[6:]]), {},
        ["93% of the steps are 1 day", "one of 1 day 07:13:00", "`freq:`"],
    ),
    "off the grid": (
        daily(stamps=[*DAYS[:5], "2024-01-06T07:13", *DAYS[6:]]), {"freq": "D"},
        ["row 7: 2024-01-06T07:13:00 (Saturday) is not on the calendar D (1 of 30 stamps are not)"],
    ),
    "naive and aware": (
        daily(stamps=["2024-01-01T00:00Z", "2024-01-01T01:00"]), {},
        ["row 3, column 'ds'", "differ in having a time zone"],
    ),
    "day first": (
        daily(stamps=days(30, fmt="%d/%m/%Y")), {},
        ["row 2, column 'ds'", "'01/01/2024' is no date as ISO 8601", "`time_format:`", "%d/%m/%Y"],
    ),
    "one day first": (daily(stamps=[*DAYS[:9], "13/01/2024"]), {}, ["row 11", "'13/01/2024' is no date"]),
    "no such day": (daily(stamps=["2024-02-29", "2024-02-30"]), {}, ["row 3", "'2024-02-30' is no date"]),
    "another format than told": (daily(), {"time_format": "%d/%m/%Y"}, ["'2024-01-01' is no date in the format"]),
    "a format that is none": (daily(), {"time_format": "%Q"}, ["time_format '%Q' cannot be used"]),
    "no stamp": (daily(stamps=[*DAYS[:3], "", *DAYS[4:]]), {}, ["row 5, column 'ds': no time stamp"]),
    "float stamps": (daily(stamps=["1.0", "2.0", "3.0"]), {}, ["row 2, column 'ds': 1.0 is no date", "whole numbers"]),
    "whole numbers with an alias": (daily(stamps=range(9)), {"freq": "D"}, ["whole numbers, so freq must be"]),
    "dates with a whole step": (daily(), {"freq": 1}, ["are dates, so freq must be a pandas alias"]),
    "unknown freq": (daily(), {"freq": "fortnight"}, ["'fortnight' is neither a pandas alias", "XNYS"]),
    "dates or counts": (daily(stamps=days(9, fmt="%Y%m%d")), {}, ["20240101 may be a date or a count", "%Y%m%d"]),
    "a step of zero": (daily(stamps=range(9)), {"freq": 0}, ["0 is no step"]),
    "too many cells": (daily(but(4, "4,7,8")), {}, ["row 6: 4 cells, but the header has 2"]),
    "too few cells": (lines("2024-01-01,1", "2024-01-02", "2024-01-03,3"), {}, ["row 3: 1 cell, but the header has 2"]),
    "open quote": (lines('2024-01-01,"1', "2024-01-02,2"), {}, ["cannot be read as a table", "close every quote"]),
    "no id": (
        daily(lambda n: f"{n},{'' if n == 3 else 'a'}", "ds,y,id"), {"id": "id"}, ["row 5, column 'id': empty"],
    ),
    "static column that changes": (
        daily(lambda n: f"{n},{int(n > 5)}", "ds,y,s"), {"static": ["s"]},
        ["row 8: static column 's' changes within series 'y'", "past or known"],
    ),
    "series without a target": (
        lines(*(f"{day},{'' if name == 'b' else 1},{name}" for name in "ab" for day in DAYS), header="ds,y,id"),
        {"id": "id"}, ["series 'b' has no target at all; leave it out"],
    ),
    "gap where none may be": (daily(but(3, "")), {"missing": "error"}, ["series 'y' has no target at 2024-01-04"]),
    "not UTF-8": (daily(but(3, "é")).encode("latin-1"), {}, ["is not UTF-8 text", "save it as UTF-8"]),
    "binary": (bytes(range(256)), {}, ["is not UTF-8 text"]),
    "Parquet": (b"PAR1\x15\x04\xff", {}, ["is a Parquet file, not CSV; say `source: parquet`", "or write it as CSV"]),
    "Excel": (b"PK\x03\x04\x14\0", {}, ["is an Excel workbook or a zip archive; save the sheet as CSV", ".zip"]),
    "gzip": (gzip.compress(b"ds,y"), {}, ["is packed with gzip; name it", ".gz"]),
    "bzip2": (bz2.compress(b"ds,y"), {}, ["is packed with bzip2; name it", ".bz2"]),
    "xz": (lzma.compress(b"ds,y"), {}, ["is packed with xz; name it", ".xz"]),
    "a column called PAR1": (daily(header="PAR1,y"), {}, ["the columns are PAR1, y"]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "fragments"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_place_and_remedy(tmp_path, content, options, fragments):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as error:
        read_csv(path, **options)
    message = str(error.value)
    assert message.startswith(str(path))
    assert all(fragment in message for fragment in fragments), message
    assert "np." not in message


GOOD = {
    "numbers": (daily(), {}, range(30), {}),
    "byte order mark": ("\ufeff" + daily(), {}, range(30), {}),
    "Windows lines": (daily().replace("\n", "\r\n"), {}, range(30), {}),
    "no line end at the end": (daily().rstrip(), {}, range(30), {}),
    "quotes and blanks": (daily(lambda n: f' "{n}"', 'ds , "y"'), {}, range(30), {}),
    "day first, as told": (daily(stamps=days(30, fmt="%d/%m/%Y")), {"time_format": "%d/%m/%Y"}, range(30), {}),
    "leading zeros of a format": (daily(stamps=days(30, fmt="%m%d%Y")), {"time_format": "%m%d%Y"}, range(30), {}),
    "missing, in words": (
        lines("2024-01-01,1", "2024-01-02,NA", "2024-01-03,nan", "2024-01-04,null", "2024-01-05,", "2024-01-06,6"), {},
        [1, np.nan, np.nan, np.nan, np.nan, 6],
        {"gaps": "4 of 6 steps missing, in 1 gap, the longest of 4 steps"},
    ),
    "not sorted": (daily(lambda n: 29 - n, stamps=DAYS[::-1]), {}, range(30), {"sorted": "rows were not in the order"}),
    "repeated rows": (
        daily(lambda n: min(n, 29), stamps=[*DAYS, DAYS[29]]), {}, range(30), {"duplicates": "exactly: 1; dropped"},
    ),
    "empty lines": (
        lines("2024-01-01,1", "", "2024-01-02,2", ",", "2024-01-03,3", "", ""), {}, [1, 2, 3], {"empty rows": "4"},
    ),
    "offsets that change": (
        daily(stamps=[f"{day}T00:00{'+01:00' if day < '2024-01-15' else '+02:00'}" for day in DAYS]), {}, range(30),
        {"frequency": "D (inferred", "time zone": "without their zone"},
    ),
    "an ignored column of text": (daily(lambda n: f"{n},ok", "ds,y,flag"), {"ignore": ["flag"]}, range(30), {}),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "values", "notes"), GOOD.values(), ids=GOOD)
def test_a_good_file_is_read_and_what_was_put_right_is_noted(tmp_path, content, options, values, notes):
    panel = read_csv(write(tmp_path, content), **options)
    np.testing.assert_array_equal(panel.target, np.array(values, np.float32))
    for name, text in notes.items():
        assert text in panel.notes[name]
    unasked = {"sorted", "duplicates", "empty rows", "time zone"} & set(panel.notes)
    assert unasked == set(notes) & unasked


def test_rows_are_counted_as_an_editor_does(tmp_path):
    path = write(tmp_path, lines("2024-01-01,1", "", "", "2024-01-02,x"))
    with pytest.raises(DataError, match="row 5, column 'y': 'x'"):
        read_csv(path)


@pytest.mark.parametrize(
    "ids", [["001", "01", "1"], ["NA", "None", "nan", "null"], ["1e3", "1000"], ["Zürich", "北京"]]
)
def test_ids_are_taken_letter_by_letter(tmp_path, ids):
    rows = [f"{day},1,{name}" for name in ids for day in DAYS]
    assert read_csv(write(tmp_path, lines(*rows, header="ds,y,id")), id="id").ids.tolist() == sorted(ids)


@pytest.mark.parametrize(("suffix", "pack"), [(".csv.gz", gzip.compress), (".csv.xz", lzma.compress)])
def test_packed_files(tmp_path, suffix, pack):
    assert len(read_csv(write(tmp_path, pack(daily().encode()), f"data{suffix}")).values) == 30
    for broken in (daily().encode(), pack(daily().encode())[:40]):
        path = write(tmp_path, broken, f"broken{suffix}")
        with pytest.raises(DataError, match="cannot be read as a table"):
            read_csv(path)


@pytest.mark.parametrize("read", [read_csv, read_parquet])
def test_files_that_are_not_there(tmp_path, read):
    with pytest.raises(DataError, match=r"none.csv: no such file; paths are relative to"):
        read(tmp_path / "none.csv")


def test_a_folder(tmp_path):
    with pytest.raises(DataError, match="is a folder; name the file in it"):
        read_csv(tmp_path)


def test_a_large_file_names_the_row_of_its_only_mistake(tmp_path):
    stamps = days(5000, freq="h", fmt="%Y-%m-%dT%H")
    path = write(tmp_path, daily(but(4321, "oops"), stamps=stamps))
    with pytest.raises(DataError, match="row 4323, column 'y': 'oops'"):
        read_csv(path)


class TestParquet:
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=5), "y": [1.0, 2, 3, 4, 5], "id": ["001"] * 5})

    def test_it_says_the_same_as_csv(self, tmp_path):
        self.frame.to_parquet(tmp_path / "a.parquet")
        self.frame.to_csv(tmp_path / "a.csv", index=False)
        one, other = read_parquet(tmp_path / "a.parquet", id="id"), read_csv(tmp_path / "a.csv", id="id")
        assert data_hash(one) == data_hash(other)
        assert one.notes == other.notes

    def test_an_index_with_a_name_is_a_column(self, tmp_path):
        self.frame.drop(columns="id").set_index("ds").to_parquet(tmp_path / "a.parquet")
        assert read_parquet(tmp_path / "a.parquet", freq="D").target.tolist() == [1, 2, 3, 4, 5]

    def test_no_parquet(self, tmp_path):
        path = write(tmp_path, daily(), "a.parquet")
        with pytest.raises(DataError, match=r"cannot be read as a table.*write it as Parquet, or say `source: csv`"):
            read_parquet(path)


class TestHash:
    def test_the_order_of_rows_and_the_file_do_not_matter(self, tmp_path):
        content = daily()
        header, *rows = content.splitlines()
        one = read_csv(write(tmp_path, content))
        other = read_csv(write(tmp_path, "\n".join([header, *rows[::-1]]), "other.csv"))
        assert data_hash(one) == data_hash(other)

    @pytest.mark.parametrize(
        "content",
        [daily(but(29, 29.5)), daily(but(3, "")), daily(stamps=days(30, "2024-01-02")), daily(stamps=DAYS[:29])],
    )
    def test_everything_else_does(self, tmp_path, content):
        assert data_hash(read_csv(write(tmp_path, daily()))) != data_hash(read_csv(write(tmp_path, content, "b.csv")))

    def test_names_and_parts_do(self, tmp_path):
        path = write(tmp_path, daily(lambda n: f"{n},7,a", "ds,y,x,id"))
        panels = [
            read_csv(path, id="id", known=["x"]),
            read_csv(path, id="id", past=["x"]),
            read_csv(path, id="id", static=["x"]),
            read_csv(path, known=["x"], ignore=["id"]),
        ]
        assert len({data_hash(panel) for panel in panels}) == 4


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32) | st.none(), min_size=4, max_size=30),
    flags=st.lists(st.integers(-5, 5), min_size=60, max_size=60),
    series=st.integers(1, 3),
)
def test_reading_back_a_written_panel_is_the_identity(tmp_path, kind, values, flags, series):
    steps = len(values)
    moments = pd.date_range("2024-03-01", periods=steps, freq="h")
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"0{one}" for one in range(series)], steps),
            "ds": np.tile(moments, series),
            "y": [1.0, *values[1:-1], 2.0] * series,
            "load": np.resize(flags, steps * series),
        }
    ).astype({"y": float})
    columns = {"id": "unique_id", "known": ["load"], "freq": "h"}
    panel = panel_from_frame(frame, Columns("unique_id", known=["load"]), freq="h")
    file = tmp_path / f"panel.{kind}"
    panel.frame().to_csv(file, index=False) if kind == "csv" else panel.frame().to_parquet(file)
    again = read_csv(file, **columns) if kind == "csv" else read_parquet(file, **columns)
    assert data_hash(again) == data_hash(panel)
