import pandas as pd
import pytest

from forecaster.config import FileData
from forecaster.errors import DataError
from forecaster.series.source import find_file, load
from tests.series.small import days, write

CONTENT = "day,name,demand,temp\n" + "".join(f"{day},a,{n},{20 - n}\n" for n, day in enumerate(days(9)))


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Working directory, project and the folder of pipelines in it."""
    pipelines = tmp_path / "project" / "pipelines"
    pipelines.mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here", tmp_path / "project", pipelines


class TestFindFile:
    def test_the_working_directory_comes_first_then_the_pipeline_file_then_the_folder_above(self, places):
        here, project, pipelines = places
        for folder in (project, pipelines, here):
            written = write(folder, CONTENT)
            assert find_file("data.csv", pipelines).samefile(written)

    def test_a_full_path_is_taken_as_it_is(self, places):
        path = write(places[0], CONTENT)
        assert find_file(str(path), places[2]) == path

    def test_the_home_folder(self, places, monkeypatch):
        monkeypatch.setenv("HOME", str(places[1]))
        write(places[1], CONTENT)
        assert find_file("~/data.csv", places[2]) == places[1] / "data.csv"


class TestLoad:
    def test_all_keys_of_a_data_block_are_heeded(self, places):
        write(places[2], CONTENT)
        data = FileData(
            path="data.csv",
            id="name",
            time="day",
            target="demand",
            past=["temp"],
            freq="D",
            clock="own",
            missing="error",
        )
        panel = load(data, places[2], places[1])
        assert panel.ids.tolist() == ["a"]
        assert panel.past == ("temp",)
        assert panel.values[:, 1].tolist() == list(range(20, 11, -1))
        assert panel.shared_clock is False
        assert panel.notes["frequency"] == "D (as told)"

    def test_parquet(self, places):
        pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=5), "y": range(5)}).to_parquet(places[2] / "a.parquet")
        panel = load(FileData(source="parquet", path="a.parquet"), places[2], places[1])
        assert panel.target.tolist() == [0, 1, 2, 3, 4]

    def test_no_such_file(self, places):
        with pytest.raises(DataError, match=r"nowhere.csv: no such file"):
            load(FileData(path="nowhere.csv"), places[2], places[1])
