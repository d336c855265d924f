"""Known covariates of the coming steps in a file of their own: `forecaster predict NAME --known FILE`."""

import io

import numpy as np
import pandas as pd
import pytest

from forecaster.config import FileData, Project, read_pipeline
from forecaster.errors import DataError
from forecaster.forecasting.published import PublishedForecaster
from forecaster.pipeline import run
from forecaster.series import Columns, panel_from_frame, read_csv
from forecaster.series.future import read_known
from forecaster.store import Store
from tests.cli.program import here
from tests.pipeline.conftest import write_project
from tests.serving.live import serving

STAMPS = pd.date_range("2024-03-01", periods=24 * 30 + 24, freq="h")


def table(rows=slice(None), **changes):
    """Id, time and two known covariates, as they will be."""
    frame = pd.DataFrame({"who": "north", "ds": STAMPS, "price": np.arange(len(STAMPS)) % 7.0, "open": 1.0})
    return frame.iloc[rows].assign(**changes)


@pytest.fixture
def panel():
    """A month of two series, whose known covariates end with it."""
    frame = pd.concat([table(slice(24 * 30)), table(slice(24 * 29), who="south")]).assign(y=1.0)
    return panel_from_frame(frame, Columns("who", known=["price", "open"]))


def joined(panel, frame, folder, **data):
    file = folder / "future.csv"
    frame.to_csv(file, index=False)
    return read_known(panel, file, FileData(path="x", id="who", known=["price", "open"], **data))


def test_rows_are_joined_by_series_and_time_in_any_order(panel, tmp_path):
    coming = pd.concat([table(slice(24 * 30, None)), table(slice(24 * 29, 24 * 29 + 3), who="south", open=np.nan)])
    ours = joined(panel, coming.sample(frac=1, random_state=1), tmp_path)
    assert np.array_equal(ours.last, panel.last) and np.array_equal(ours.ids, panel.ids)
    assert np.diff(ours.offsets).tolist() == [24 * 31, 24 * 29 + 3]
    assert np.array_equal(ours.history(0), panel.history(0))
    north = ours.values[ours.ends[0] : ours.offsets[1]]
    assert np.isnan(north[:, 0]).all()
    assert north[:, 1].tolist() == table()["price"].iloc[24 * 30 :].tolist()
    south = ours.values[ours.ends[1] :]
    assert south[:, 1].tolist() == table()["price"].iloc[24 * 29 : 24 * 29 + 3].tolist() and np.isnan(south[:, 2]).all()
    assert np.isnan(panel.values[:, 0]).sum() == 0, "the panel that was given stays as it was"
    assert ours.notes["known"] == f"27 rows of {tmp_path}/future.csv joined"


def test_rows_of_the_past_may_be_there_if_they_agree(panel, tmp_path):
    ours = joined(panel, table(), tmp_path)
    assert np.array_equal(ours.values[: 24 * 30], panel.values[: 24 * 30])


def test_columns_of_the_data_that_are_not_known_may_be_there_and_are_not_read(panel, tmp_path):
    ours = joined(panel, table(slice(24 * 30, None), y=5.0), tmp_path)
    assert np.array_equal(ours.history(0), panel.history(0)) and np.isnan(ours.values[ours.ends[0], 0])


@pytest.mark.parametrize(
    ("frame", "fragment"),
    [
        (
            table(slice(720, None), who="west"),
            r"future.csv, row 2: series 'west' is not in the data, which have north, so",
        ),
        (
            table(slice(720, 722), ds=["2024-03-31", "2024-03-31T00:30"]),
            "row 3: 2024-03-31T00:30:00 is not on the calendar h",
        ),
        (table(slice(700, None), price=9.0), r"row 2, column 'price': 9, but the data have 0 at '2024-03-30 04:00:00'"),
        (table(slice(720, None)).drop(columns="open"), "no column 'open'"),
        (table(slice(720, None)).drop(columns="who"), "no column 'who'"),
        (table(slice(720, None), sunny=1), "column sunny not declared"),
        (table(slice(720, 722), ds=["2024-03-31", "2924-03-31"]), "row 3: 2924-03-31 lies 7,889,233 steps ahead on h"),
        (
            table(slice(720, 722), ds=[1, 2]),
            "row 2, column 'ds': the time stamps of the data are dates without an offset",
        ),
        (table(slice(720, 722), price=["1", "dear"]), "row 3, column 'price': 'dear' is not a number"),
        (table([720, 720], price=[1.0, 2.0]), "twice with different values"),
        (table(slice(0)), "no rows"),
    ],
)
def test_law_8_what_cannot_be_joined_is_named_by_file_row_and_remedy(panel, frame, fragment, tmp_path):
    with pytest.raises(DataError, match=fragment):
        joined(panel, frame, tmp_path)


def test_a_pipeline_without_known_covariates_has_nothing_to_read(panel, tmp_path):
    with pytest.raises(DataError, match="declares no known covariates"):
        read_known(panel, tmp_path / "future.csv", FileData(path="x"))


def test_predict_takes_the_coming_steps_from_the_file(tmp_path):
    file = write_project(
        tmp_path,
        data={"path": str(tmp_path / "demand.csv"), "known": ["price"], "calendar": ["hour", "weekday"]},
        models=[{"extends": "custom_lstm", "units": 2, "steps": 5, "batch_size": 8}],
        baselines=["naive"],
        backtest={"windows": 2},
    )
    demand = pd.read_csv(tmp_path / "demand.csv").assign(price=table()["price"])
    demand.to_csv(tmp_path / "demand.csv", index=False)
    coming = table(slice(24 * 30, None))[["ds", "price"]]
    coming.to_csv(tmp_path / "coming.csv", index=False)
    run(read_pipeline(file), Project(tmp_path), base=tmp_path, force=True)
    version = Store(tmp_path / "models/store").read("small")
    assert version.manifest.inputs["known"] == ["price", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos"]
    assert version.manifest.calendar["features"] == ["hour", "weekday"]
    assert version.manifest.calendar["columns"]["hour_sin"] == "sin(2 pi x), x = hour / 24"

    refused = here("predict", "small", cwd=tmp_path)
    assert refused.returncode == 2
    assert "'price' of series 'y' has no value at 2024-03-31, 2024-03-31T01:00:00," in refused.stderr.replace("\n", " ")
    assert "--known FILE" in refused.stderr
    with serving(Project(tmp_path)) as live:
        told = live.client.get("/pipelines/small/outlook").json()
    assert told["forecast"] is None and "'price' of series 'y' has no value at 2024-03-31" in told["why"]
    assert len(told["past"]) == 7, "earlier forecasts are made all the same"
    answer = here("predict", "small", "--known", "coming.csv", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr

    pd.concat([demand, coming]).to_csv(tmp_path / "whole.csv", index=False)
    whole = read_csv(tmp_path / "whole.csv", known=["price"])
    assert PublishedForecaster(version).predict(whole).to_csv(index=False) == answer.stdout


def test_series_without_coming_covariates_keep_no_others_from_being_forecast(tmp_path):
    """The south ended a day early; the north knows what comes, and the south only by a file of its own."""
    file = write_project(
        tmp_path,
        data={"path": str(tmp_path / "demand.csv"), "id": "who", "known": ["price"]},
        models=[{"extends": "simple_rnn", "units": 2, "steps": 5, "batch_size": 8}],
        baselines=["naive"], backtest={"windows": 2}, horizon=12, lookback=24, levels=[80],
    )  # fmt: skip
    wave = np.sin(np.arange(len(STAMPS)) / 4).round(3)
    north = table(y=np.where(np.arange(len(STAMPS)) < 24 * 30, wave, np.nan))
    south = table(slice(24 * 29), who="south", y=wave[: 24 * 29])
    pd.concat([north, south])[["who", "ds", "price", "y"]].to_csv(tmp_path / "demand.csv", index=False)
    table(slice(24 * 29, 24 * 30), who="south")[["who", "ds", "price"]].to_csv(tmp_path / "coming.csv", index=False)
    run(read_pipeline(file), Project(tmp_path), base=tmp_path, force=True)

    alone = here("predict", "small", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert set(pd.read_csv(io.StringIO(alone.stdout))["unique_id"]) == {"north"}
    told = " ".join(alone.stderr.split())
    assert "1 of 2 series are left out" in told and "south (the first: price has no value at 2024-03-30)" in told
    assert "ended before" not in told
    both = here("predict", "small", "--known", "coming.csv", cwd=tmp_path)
    assert set(pd.read_csv(io.StringIO(both.stdout))["unique_id"]) == {"north", "south"}
    told = " ".join(both.stderr.split())
    assert "left out" not in told
    assert "1 of 2 series ended before the others (south at 2024-03-29T23:00:00): their forecasts begin there" in told
    far = here("predict", "small", "--from", "2024-05-01", cwd=tmp_path)
    assert far.returncode == 2
    assert "must reach over the 756 steps behind 2024-03-30T23:00:00, to 2024-05-01T11:00:00" in far.stderr

    with serving(Project(tmp_path)) as live:
        answer = live.client.post("/api/forecast/small").json()
        assert answer["left_out"] == ["south"]
        assert {step["unique_id"] for step in answer["forecasts"]} == {"north"}
        as_csv = live.client.post("/api/forecast/small", headers={"Accept": "text/csv"}).text
        assert as_csv == alone.stdout
        coming = table(slice(24 * 29, 24 * 30), who="south").astype({"ds": str})[["who", "ds", "price"]]
        answer = live.client.post("/api/forecast/small", json={"known": coming.to_dict("records")}).json()
        assert "left_out" not in answer and {step["unique_id"] for step in answer["forecasts"]} == {"north", "south"}
