"""Series split into groups: which there are, and the rows of one."""

import zlib

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecaster.config import FileData
from forecaster.config.groups import GroupsDefinition
from forecaster.errors import DataError
from forecaster.series.source import find_groups, load


def table(**changes) -> pd.DataFrame:
    stamps = pd.date_range("2024-01-01", periods=8, freq="h")
    rows = [
        pd.DataFrame({"shop": shop, "region": region, "ds": stamps, "y": np.arange(8.0) + number})
        for number, (shop, region) in enumerate({"a": "north", "b": "south", "c": "north"}.items())
    ]
    return pd.concat(rows, ignore_index=True).assign(**changes)


def data(path, **groups) -> FileData:
    ignore = [] if "by" in groups else ["region"]
    return FileData(path=str(path), id="shop", groups=groups, ignore=ignore)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sales.csv"
    table().to_csv(path, index=False)
    return path


def test_groups_by_a_column_and_by_hash_hold_each_series_once(file, tmp_path):
    assert find_groups(data(file, by="region"), tmp_path) == {"north": 2, "south": 1}
    north = load(data(file, by="region", only="north"), tmp_path, tmp_path)
    assert (north.ids.tolist(), north.notes["rows"]) == (["a", "c"], 16)
    assert north.target.tolist() == [*np.arange(8.0), *np.arange(2.0, 10.0)]
    assert north.notes["group"] == "north (2 of 3 series, by region)"
    found = {}
    for label in find_groups(data(file, hash=2), tmp_path):
        found |= dict.fromkeys(load(data(file, hash=2, only=label), tmp_path, tmp_path).ids.tolist(), label)
    assert found == {one: str(zlib.crc32(one.encode()) % 2) for one in "abc"}


def test_a_parquet_file_has_the_same_groups(tmp_path):
    path = tmp_path / "sales.parquet"
    table().to_parquet(path, index=False)
    told = data(path, by="region", only="north").model_copy(update={"source": "parquet"})
    assert find_groups(told, tmp_path) == {"north": 2, "south": 1}
    north = load(told, tmp_path, tmp_path)
    assert north.ids.tolist() == ["a", "c"] and north.target.tolist() == [*np.arange(8.0), *np.arange(2.0, 10.0)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_of_a_wide_table_are_split_by_a_hash(tmp_path, suffix):
    path = tmp_path / f"wide.{suffix}"
    wide = table().pivot(index="ds", columns="shop", values="y").reset_index()
    wide.to_csv(path, index=False) if suffix == "csv" else wide.to_parquet(path, index=False)
    told = FileData(source=suffix, path=str(path), layout="wide", groups={"hash": 2})
    found = {}
    for label, count in find_groups(told, tmp_path).items():
        panel = load(told.model_copy(update={"groups": told.groups.one(label)}), tmp_path, tmp_path)
        assert len(panel) == count
        found |= {name: (label, panel.history(place).tolist()) for place, name in enumerate(panel.ids.tolist())}
    assert found == {
        name: (str(zlib.crc32(name.encode()) % 2), (np.arange(8.0) + place).tolist())
        for place, name in enumerate("abc")
    }


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda frame: frame.assign(region=frame["region"].mask(frame.index == 3, "south")), "row 5.*'a'.*'south'"),
        (lambda frame: frame.assign(region=frame["region"].mask(frame.index == 3)), "row 5.*empty"),
        (lambda frame: frame.drop(columns="region"), "no column 'region'"),
    ],
)
def test_a_series_is_in_one_group(file, tmp_path, change, fragment):
    change(table()).to_csv(file, index=False)
    with pytest.raises(DataError, match=fragment):
        find_groups(data(file, by="region"), tmp_path)


def test_an_unknown_group_is_refused_with_the_known_ones(file, tmp_path):
    with pytest.raises(DataError, match="no series is in group 'east'; the groups are north, south"):
        load(data(file, by="region", only="east"), tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("told", "fragment"),
    [
        ({"groups": {}}, "by: COLUMN"), ({"groups": {"by": "r", "hash": 2}}, "one of the two"),
        ({"groups": {"by": "region"}, "id": None, "layout": "wide"}, "no column that names groups"),
        ({"groups": {"hash": 2, "only": "2"}}, "0 to 1"), ({"groups": {"hash": 2}, "id": None}, "write `id`"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(told, fragment):
    with pytest.raises(ValidationError, match=fragment):
        FileData(**{"path": "a.csv", "id": "shop", **told})


def test_names_of_groups_are_names_and_differ():
    groups = GroupsDefinition(by="region")
    names = [groups.name_of("sales", label) for label in ("north", "São Paulo", "S_o_Paulo", "a-b", "challenger", "/")]
    assert names[0] == "sales-north" and len(set(names)) == len(names) and names[4] != "sales-challenger"
    assert GroupsDefinition(hash=8).name_of("sales", "3") == "sales-3of8"


def test_a_group_that_is_too_small_to_have_a_frequency_has_that_of_its_file(tmp_path):
    """One with a frequency of its own keeps it, whatever the others have."""
    days = pd.date_range("2024-01-01", periods=70)
    mondays = days[days.day_of_week == 0]
    parts = {"a": ("daily", days), "b": ("single", days[-1:]), "c": ("weekly", mondays)}
    frames = [pd.DataFrame({"shop": one, "kind": kind, "ds": on, "y": 1.0}) for one, (kind, on) in parts.items()]
    pd.concat(frames).to_csv(tmp_path / "sales.csv", index=False)
    told = FileData(path=str(tmp_path / "sales.csv"), id="shop", groups={"by": "kind"})
    found = {kind: load(told.model_copy(update={"groups": told.groups.one(kind)}), tmp_path, tmp_path)
             for kind in ("daily", "single", "weekly")}  # fmt: skip
    assert [panel.calendar.name for panel in found.values()] == ["D", "D", "W-MON"]
    assert found["single"].lengths.tolist() == [1] and found["weekly"].lengths.tolist() == [10]
    assert "inferred from the time stamps" in found["single"].notes["frequency"]
