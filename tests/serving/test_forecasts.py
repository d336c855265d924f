"""Forecasts by time stamp: what goes in, what comes out, and what is refused as on the command line."""

import asyncio
import json

import pandas as pd
import pytest

from forecaster.config import Project
from forecaster.series.symbols import symbol_panel
from forecaster.serving import forecasts
from forecaster.serving.observations import _as_written, _frame
from forecaster.serving.threads import INLINE
from forecaster.store import Store
from tests.serving.live import serving
from tests.serving.published import publish

FORECAST = "/api/forecast/walk"
ROWS = [{"ds": f"2024-05-01T0{hour}:00:00", "y": 10.0 + hour} for hour in range(5)]
LATER = [*ROWS, {"ds": "2024-05-01T05:00:00", "y": 14.5}, {"ds": "2024-05-01T06:00:00", "y": 17.0}]


def test_without_observations_the_training_data_are_forecast(live):
    told = live.client.post(FORECAST).json()
    assert (told["name"], told["version"], told["model"], told["frequency"]) == ("walk", 2, "walk", "h")
    assert told["forecasts"][0] == {
        "unique_id": "y", "ds": "2024-01-01T06:00:00", "cutoff": "2024-01-01T05:00:00", "forecast": 106.0,
        "intervals": {"80": [105.0, 107.0], "95": [104.0, 108.0]},
    }  # fmt: skip
    assert [step["ds"][11:13] for step in told["forecasts"]] == ["06", "07", "08"]


@pytest.mark.parametrize(
    "observations", [ROWS, {"ds": [row["ds"] for row in ROWS], "y": [row["y"] for row in ROWS]}, ROWS[::-1]]
)
def test_from_json(live, observations):
    told = live.client.post(FORECAST, json={"observations": observations, "levels": [80], "version": "previous"}).json()
    assert told["version"] == 1
    assert told["forecasts"][2] == {
        "unique_id": "y", "ds": "2024-05-01T07:00:00", "cutoff": "2024-05-01T04:00:00", "forecast": 14.0,
        "intervals": {"80": [13.0, 15.0]},
    }  # fmt: skip


def test_from_csv_to_csv_is_the_command_lines_frame(live, project, tmp_path, capsys):
    from forecaster.cli.publishing import predict_published

    file = tmp_path / "newer.csv"
    file.write_text("ds,y\n" + "".join(f"{row['ds']},{row['y']}\n" for row in ROWS))
    answer = live.client.post(
        FORECAST + "?level=95&version=1",
        content=file.read_bytes(),
        headers={"Content-Type": "text/csv; charset=utf-8", "Accept": "text/csv"},
    )
    assert answer.status_code == 200
    predict_published("walk", project.root, file, None, 1, [95], False)
    assert answer.text == capsys.readouterr().out


def csv(live, text, **headers):
    return live.client.post(FORECAST, content=text, headers={"Content-Type": "text/csv", **headers})


WRONG = [
    ("ds,y\n2024-05-01,1\n2024-05-01T01:00,abc\n", ["observations", "row 3", "abc"]),
    ("ds,x\n2024-05-01,1\n", ["observations", "no column 'y'"]),
    ("ds,y\n2024-05-01T00:00,1\n2024-05-01T00:30,1\n", ["observations"]),
    ("ds,y\n2024-05-01T00:00,1\n2024-05-01T00:00,2\n", ["observations"]),
    ("", ["observations: the CSV is empty"]),
    ("ds,y\n", ["observations"]),
    (b"ds,y\n\xff\xfe,1\n", ["observations"]),
    (b"\x00\x01\x02", ["observations"]),
]


@pytest.mark.parametrize(("text", "fragments"), WRONG, ids=lambda part: str(part)[:30])
def test_bad_csv_is_400_and_names_the_place(live, text, fragments):
    answer = csv(live, text)
    assert answer.status_code == 400
    for fragment in fragments:
        assert fragment in answer.json()["error"]
    assert "/tmp" not in answer.json()["error"]


BAD = [
    ({"levels": [90]}, 400, "trained levels are 80, 95"),
    ({"levels": [200]}, 400, "levels.0"),
    ({"levels": "80"}, 400, "levels"),
    ({"observation": []}, 400, "observation"),
    ({"observations": []}, 400, "no rows"),
    ({"observations": {}}, 400, "no rows"),
    ({"observations": {"ds": ["2024-05-01"], "y": [1, 2]}}, 400, "different lengths"),
    ({"observations": [{"ds": "2024-05-01", "y": "many"}]}, 400, "many"),
    ({"observations": [{"ds": "yesterday", "y": 1}]}, 400, "yesterday"),
    ({"observations": [{"ds": None, "y": 1}]}, 400, "observations"),
    ({"observations": [{"ds": "", "y": 1}]}, 400, "'' is no date"),
    ({"observations": [{"ds": "2024-05-01", "y": None}]}, 400, "observations"),
    ({"observations": [{"ds": "2024-05-01", "y": [1]}]}, 400, "observations.0.y: Input should be a valid string or a"),
    ({"observations": {"ds": ["2024-05-01"], "y": [[1]]}}, 400, "observations.y.0: Input should be a valid string or"),
    ({"observations": 5}, 400, "observations: Input should be a valid list or a valid dictionary; found 5"),
    ({"observations": [{"y": 1}]}, 400, "no column 'ds'"),
    ({"observations": [{"ds": "2024-05-01", "y": 1, "x": 2}]}, 400, "x"),
    ({"observations": [{"ds": "2024-05-01T00:20", "y": 1}, {"ds": "2024-05-01T01:00", "y": 1}]}, 400, "observations"),
    ({"observations": [{"ds": 5, "y": 1}, {"ds": 6, "y": 1}]}, 400, "observations"),
    ({"observations": ROWS, "known": ROWS}, 400, "declares no known covariates"),
    ({"version": 9}, 404, "Specific(walk, 9)"),
    ({"observations": ROWS, "start": "2024-04-01T00:00"}, 400, "give a later one"),
    ({"observations": ROWS, "start": "soon"}, 400, "soon"),
    ({"version": "best"}, 400, "version"),
    ({"version": 0}, 400, "version"),
    ([1], 400, "Array Is not object"),
    ({"observations": [{f"k{row}": 1} for row in range(2100)]}, 413, "2,100 columns make 4,410,000 cells"),
]


@pytest.mark.parametrize(("body", "status", "fragment"), BAD, ids=lambda part: str(part)[:50])
def test_bad_requests(live, body, status, fragment):
    answer = live.client.post(FORECAST, json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert fragment in answer.json()["error"]


def test_unknown_models_methods_and_paths(live):
    assert live.client.post("/api/forecast/none").status_code == 404
    assert live.client.get(FORECAST).status_code == 405
    assert live.client.post("/api/other").status_code == 404


def test_several_series_covariates_and_a_file_of_its_own_kind(saved, tmp_path):
    """The definition says how text is written and which column plays which part."""
    (tmp_path / "models").mkdir()
    data = {"path": "sales.csv", "id": "shop", "time": "when", "target": "sales", "separator": ";", "decimal": ","}
    publish(
        Store(Project(tmp_path).store), "sales", saved["walk"],
        definition={"name": "sales", "data": data, "horizon": 3}, frequency={"name": "D"},
        inputs={"past": ["sales"], "known": [], "static": []},
    )  # fmt: skip
    text = "shop;when;sales\n" + "".join(f"{shop};2024-05-0{day};{shop},5\n" for shop in "12" for day in range(1, 6))
    rows = [{"shop": shop, "when": f"2024-05-0{day}", "sales": shop + 0.5} for shop in (1, 2) for day in range(1, 6)]
    with serving(Project(tmp_path)) as live:
        for told in (
            live.client.post("/api/forecast/sales", content=text, headers={"Content-Type": "text/csv"}).json(),
            live.client.post("/api/forecast/sales", json={"observations": rows}).json(),
        ):
            found = [(step["unique_id"], step["ds"][:10], step["forecast"]) for step in told["forecasts"]]
            assert found[::3] == [("1", "2024-05-06", 1.5), ("2", "2024-05-06", 2.5)]
        missing = live.client.post("/api/forecast/sales")
        assert missing.status_code == 400
        assert "sales.csv" in missing.json()["error"]


@pytest.mark.parametrize(
    ("layout", "known", "fragment"),
    [
        ("long", [{f"k{row}": 1} for row in range(13)], "known: 13 rows with 13 columns make 169 cells"),
        ("wide", {"ds": [1] * 17, "price": [1] * 17}, "known: 17 rows with 10 series make 170 cells"),
    ],
)
def test_known_rows_do_not_multiply(saved, tmp_path, layout, known, fragment):
    (tmp_path / "models").mkdir()
    data = {"path": "walk.csv", "layout": layout, "known": ["price"]}
    publish(
        Store(Project(tmp_path).store), "walk", saved["walk"],
        definition={"name": "walk", "data": data, "horizon": 3}, frequency={"name": "1"},
        inputs={"past": ["y"], "known": ["price"], "static": []},
    )  # fmt: skip
    series = [f"s{number}" for number in range(10)] if layout == "wide" else ["y"]
    rows = {"ds": [1, 2, 3], "price": [1, 1, 1], **{name: [1, 2, 3] for name in series}}
    with serving(Project(tmp_path), elements=150) as live:
        answer = live.client.post(FORECAST, json={"observations": rows, "known": known})
    assert answer.status_code == 413
    assert fragment in answer.json()["error"]


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_large_bodies_and_all_answers_are_worked_on_beside_the_event_loop(live, monkeypatch, accept):
    beside = []

    def watched(function):
        def called(*told, **named):
            beside.append(asyncio._get_running_loop() is None)
            return function(*told, **named)

        return called

    monkeypatch.setattr(forecasts, "_asked", watched(forecasts._asked))
    monkeypatch.setattr(forecasts, "answer", watched(forecasts.answer))
    monkeypatch.setattr(pd.DataFrame, "to_csv", watched(pd.DataFrame.to_csv))
    body = json.dumps({"observations": ROWS}).encode()
    for padded in (body, body + b" " * INLINE):
        headers = {"Content-Type": "application/json", "Accept": accept}
        assert live.client.post(FORECAST, content=padded, headers=headers).status_code == 200
    assert beside == [False, True, True, True]


def metrics(live):
    return dict(line.rsplit(" ", 1) for line in live.client.get("/metrics").text.splitlines() if line[0] != "#")


def test_the_error_is_known_when_the_truth_arrives(saved, tmp_path):
    (tmp_path / "models").mkdir()
    publish(Store(Project(tmp_path).store), "walk", saved["walk"])
    with serving(Project(tmp_path)) as live:
        live.client.post(FORECAST, json={"observations": ROWS})  # the last value is 14: 14, 14, 14
        live.client.post(FORECAST, json={"observations": LATER})
        live.client.post(FORECAST, json={"observations": LATER})
        told = metrics(live)
    assert float(told['forecaster_forecast_steps_judged_total{model="walk"}']) == 2
    assert float(told['forecaster_forecast_absolute_error_total{model="walk"}']) == 3.5
    assert float(told['forecaster_forecast_covered_total{level="80",model="walk"}']) == 1


def test_a_start_within_the_data_is_judged_by_what_comes_later_and_against_what_was_seen(saved, tmp_path):
    (tmp_path / "models").mkdir()
    publish(Store(Project(tmp_path).store), "walk", saved["walk"])
    with serving(Project(tmp_path)) as live:
        # seen up to 2:00 with the value 12: 12, 12, 12, of which 3:00 and 4:00 were observed already
        live.client.post(FORECAST, json={"observations": ROWS, "start": "2024-05-01T03:00"})
        live.client.post(FORECAST, json={"observations": LATER})
        told = metrics(live)
    assert float(told['forecaster_forecast_steps_judged_total{model="walk"}']) == 1
    assert float(told['forecaster_forecast_absolute_error_total{model="walk"}']) == 2.5
    assert float(told['forecaster_forecast_naive_absolute_error_total{model="walk"}']) == 2.5


def test_the_answer_is_what_pandas_reads_back(live):
    told = live.client.post(FORECAST, json={"observations": ROWS}).json()["forecasts"]
    stamps = pd.to_datetime([step["ds"] for step in told])
    assert stamps.equals(pd.date_range("2024-05-01T05:00", periods=3, freq="h"))
    assert json.dumps(told)


def test_a_later_start_forecasts_through_the_gap(live):
    body = {"observations": ROWS, "start": "2024-05-01T10:00", "version": "previous"}
    told = live.client.post(FORECAST, json=body).json()["forecasts"]
    assert [step["ds"] for step in told] == [f"2024-05-01T{hour}:00:00" for hour in (10, 11, 12)]
    assert {step["cutoff"] for step in told} == {"2024-05-01T04:00:00"}


def test_names_of_numbers_are_as_written_beside_a_missing_one():
    """A whole number stays one where pandas would make it 1.0 for the sake of a null."""
    rows = [{"ds": "2024-01-01", "y": 1}, {"ds": "2024-01-02", "y": None}, {"ds": "2024-01-03", "y": 2}]
    for told in (rows, {name: [row[name] for row in rows] for name in ("ds", "y")}):
        frame = _as_written(_frame(told, "observations", None, 6), told, ("y",))
        assert frame["y"].tolist() == [1, None, 2]
        assert symbol_panel(frame).symbols == ("1", "2")
