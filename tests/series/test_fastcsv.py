"""The two readers of CSV files see the same."""

import gzip

import pytest

from forecaster.errors import DataError
from forecaster.series import Columns, data_hash, fastcsv, read_csv
from forecaster.series.csvformat import CsvFormat
from tests.series.small import days, write
from tests.series.test_bad_input import REFUSED, TAKEN
from tests.series.test_files import BAD, GOOD, but, daily, lines

PLAIN = CsvFormat()
CASES = {
    **{name: case[:2] for name, case in {**BAD, **REFUSED, **GOOD, **TAKEN}.items()},
    "ids": (daily(lambda n: f"{n},00{n % 3}", "ds,y,id"), {"id": "id", "freq": "D"}),
    "ids that look empty": (daily(lambda n: f"{n},{['NA', 'nan'][n % 2]}", "ds,y,id"), {"id": "id", "freq": "D"}),
    "ids with blanks": (daily(lambda n: f"{n}, a", "ds,y,id"), {"id": "id"}),
    "offsets": (daily(stamps=[f"2024-01-01T{hour:02d}:00+01:00" for hour in range(20)]), {}),
    "fractions": (daily(stamps=[f"2024-01-01T00:00:{second:02d}.5" for second in range(20)]), {}),
    "covariates": (daily(lambda n: f"{n},{n % 2},7", "ds,y,p,k"), {"past": ["p"], "known": ["k"]}),
    "true and false": (daily(lambda n: f"{n},{n % 2 == 0}", "ds,y,p"), {"past": ["p"]}),
    "by moments": (lines(*(f"{day},{n},{n}" for day in days(9) for n in "312"), header="ds,y,id"), {"id": "id"}),
}


def outcome(path, options):
    """What is read, or what is said."""
    try:
        panel = read_csv(path, **options)
    except DataError as error:
        return str(error)
    return data_hash(panel), panel.zone, dict(panel.notes)


@pytest.mark.parametrize(("content", "options"), CASES.values(), ids=CASES)
def test_large_files_are_read_as_small_ones(tmp_path, monkeypatch, content, options):
    path = write(tmp_path, content)
    small = outcome(path, options)
    monkeypatch.setattr(fastcsv, "FROM_SIZE", 1)
    assert outcome(path, options) == small


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (daily(), Columns()),
        (daily(stamps=days(30, freq="h", fmt="%Y-%m-%d %H:%M")), Columns()),
        (daily(stamps=range(30)), Columns()),
        (daily(lambda n: f"{n},a,x", "ds,y,id,flag"), Columns("id", ignore=["flag"])),
    ],
)
def test_plain_files_are_read_by_it(tmp_path, monkeypatch, content, columns):
    monkeypatch.setattr(fastcsv, "FROM_SIZE", 1)
    cells = fastcsv.fast_cells(write(tmp_path, content), columns, None, PLAIN)
    assert cells is not None
    assert len(cells) == 30
    assert "flag" not in cells


@pytest.mark.parametrize("content", [daily(but(3, "x")), daily() + "\n", lines("2024-01-01,1,2"), "ds,y\n"])
def test_odd_files_are_left_to_the_other(tmp_path, monkeypatch, content):
    monkeypatch.setattr(fastcsv, "FROM_SIZE", 1)
    try:
        assert fastcsv.fast_cells(write(tmp_path, content), Columns(), None, PLAIN) is None
    except DataError as error:
        assert "cells" in str(error)


def test_packed_files(tmp_path, monkeypatch):
    path = write(tmp_path, gzip.compress(daily().encode()), "data.csv.gz")
    monkeypatch.setattr(fastcsv, "FROM_SIZE", 1)
    cells = fastcsv.fast_cells(path, Columns(), None, PLAIN)
    assert cells is not None
    assert cells["y"].tolist() == list(range(30))
