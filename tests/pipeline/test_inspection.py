"""The inside of networks in the store, in the report and at the command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import forecaster
from forecaster.cli.app import app
from forecaster.errors import DataError, DefinitionError, ForecasterError, StoreError
from forecaster.forecasting.inspection import inspect_untrained
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.pipeline.inspection import Inside, Insides
from forecaster.series import read_csv
from forecaster.store import Store
from forecaster.store.inspection import INSPECTION_FILE, read_inspection
from tests.synthetic import seasonal_panel, tiny


@pytest.fixture(scope="module")
def version(finished):
    _, project, _ = finished
    return Store(project.store).read("small")


def inspect(project, *arguments):
    """The command's standard output; a ForecasterError is raised as it is."""
    answer = CliRunner().invoke(app, ["--project", str(project.root), "inspect", *arguments])
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_a_published_version_has_its_inspection_among_the_verified_files(version):
    assert f"side/{INSPECTION_FILE}" in version.manifest.files
    found = read_inspection(version.side)
    assert found["model"] == version.manifest.model and found["trained"]
    window, [layer] = found["window"], found["activations"]
    assert (len(window["lookback"]["ds"]), len(window["horizon"]["y"])) == (48, 24)
    assert window["cutoff"] == "2024-03-29T23:00:00", "the last whose horizon has come"
    assert (layer["reads"], layer["steps"], layer["units"]) == ("lookback", 8, 4)
    assert layer["edges"][:2] == ["2024-03-28T00:00:00", "2024-03-28T06:00:00"], "segments of six hours"
    assert (len(layer["edges"]), layer["edges"][-1]) == (9, "2024-03-30T00:00:00")
    assert np.shape(layer["states"]["hidden"]["values"]) == (4, 8)
    [reach] = found["gradient_reach"]["layers"]
    assert len(reach["norms"]) == 9 and reach["verdict"] in ("healthy", "vanishing", "none")
    assert found["gradient_reach"]["windows"] == 16


def test_the_recorded_inspection_is_that_of_the_published_network(finished, version):
    """Loaded from model.keras and looked at again, it is the same."""
    _, project, _ = finished
    again = forecaster.inspect(version, read_csv(project.root / "demand.csv")).document()
    recorded = read_inspection(version.side)
    assert again["parameters"] == recorded["parameters"]
    assert again["activations"][0]["states"]["hidden"]["values"] == [
        pytest.approx(row, rel=1e-3, abs=1e-5) for row in recorded["activations"][0]["states"]["hidden"]["values"]
    ]


def test_the_median_is_what_predict_says_from_that_cutoff(finished, version):
    _, project, _ = finished
    panel = read_csv(project.root / "demand.csv")
    from forecaster.forecasting.published import PublishedForecaster

    seen = panel.until(int(panel.last[0]) - 24)
    said = PublishedForecaster(version).predict(seen)[version.manifest.model]
    assert read_inspection(version.side)["window"]["horizon"]["median"] == pytest.approx(said.tolist(), rel=1e-4)


def test_another_window_and_another_series_can_be_looked_at():
    panel = seasonal_panel(series=2)
    network = RecurrentForecaster(tiny("custom_lstm", segment=1), 6, season=12, lookback=24).fit(panel)
    seen = forecaster.inspect(network, panel, series="s1", cutoff="2024-01-05 11:00")
    assert seen.window.unique_id == "s1" and seen.document()["window"]["cutoff"] == "2024-01-05T11:00:00"
    [trace] = seen.traces
    assert sorted(trace.gates) == ["candidate", "forget", "input", "output"] and trace.steps == 24
    known = panel.target[panel.offsets[1] :][107 - 23 : 108]
    assert seen.document()["window"]["lookback"]["y"] == pytest.approx(known.tolist(), rel=1e-5)
    with pytest.raises(DataError, match="no series 's7'; the data have s0, s1"):
        forecaster.inspect(network, panel, series="s7")
    with pytest.raises(DataError, match="no time stamp 2031-01-01; it has steps of h from 2024-01-01"):
        forecaster.inspect(network, panel, cutoff="2031-01-01")
    with pytest.raises(DataError, match="'soon' is no time stamp"):
        forecaster.inspect(network, panel, cutoff="soon")
    with pytest.raises(ForecasterError, match="not fitted"):
        forecaster.inspect(RecurrentForecaster("gru", 6), panel)


def test_changing_what_comes_after_the_cutoff_changes_no_gate():
    """Law 1, for what is shown of a network's inside."""
    panel = seasonal_panel()
    network = RecurrentForecaster(tiny(), 6, season=12, lookback=24).fit(panel)
    gates = forecaster.inspect(network, panel, cutoff="2024-01-05 11:00").traces[0].gates["forget"]
    panel.values[108:] += 1000
    assert np.array_equal(
        gates, forecaster.inspect(network, panel, cutoff="2024-01-05 11:00").traces[0].gates["forget"]
    )


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ({"network": "lstm", "strategy": "recursive"}, [("stepper lstm", "lookback", 8)]),
        ({"network": "gru", "strategy": "seq2seq"}, [("gru", "lookback", 8), ("decoder gru cell", "horizon", 2)]),
        ({"network": "custom_lstm", "layers": 2}, [("lstm 1", "lookback", 8), ("lstm 2", "lookback", 8)]),
    ],
)
def test_every_strategy_shows_its_recurrent_layers(model, parts):
    definition = forecaster.ModelDefinition(units=3, **model).named("small")
    found = inspect_untrained(definition, lookback=8, horizon=2).document()
    assert [(one["layer"], one["reads"], one["steps"]) for one in found["activations"]] == parts
    assert len(found["gradient_reach"]["layers"]) == len(parts)


def test_a_network_without_recurrence_and_one_that_cannot_be_looked_into(finished, caplog):
    *_, definition = finished
    panel = seasonal_panel()
    mean = RecurrentForecaster(tiny("tests.forecasting.own_network:mean_of_the_past"), 6, lookback=24).fit(panel)
    insides = Insides(definition, panel)
    document = insides.of(mean).inspection
    assert document["activations"] == [] and document["gradient_reach"]["layers"] == []
    assert document["parameters"]["total"] > 0
    assert insides.of(mean).inspection is document, "for the store and for the report it is looked into once"
    assert insides.of(RecurrentForecaster(tiny(), 6)) == Inside(None, "")
    assert "custom_lstm: its inside cannot be shown (ForecasterError: custom_lstm is not fitted" in caplog.text


def test_the_command_says_where_nothing_goes_from_step_to_step(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/mean.yaml").write_text("network: tests.forecasting.own_network:mean_of_the_past\n")
    answer = CliRunner().invoke(app, ["--project", str(tmp_path), "inspect", "mean"])
    assert answer.exit_code == 0 and "so there are no gates to show" in " ".join(answer.stdout.split())


def test_the_report_shows_the_inside(finished):
    _, project, _ = finished
    page = (project.root / "report.html").read_text(encoding="utf-8")
    for words in ("gates and states over time", "How far back the gradient reaches", "Parameters by matrix", "W_hz"):
        assert words in page


def test_the_command_prints_tables_json_and_a_page(finished, version, tmp_path):
    _, project, _ = finished
    printed = inspect(project, "small")
    for words in (version.manifest.model, "W_h", "hidden", "Gradient of", "steps"):
        assert words in printed
    assert json.loads(inspect(project, "small", "--json")) == read_inspection(version.side)
    assert json.loads(inspect(project, str(project.root / "small.yaml"), "--json"))["model"] == version.manifest.model
    inspect(project, "small", "--cutoff", "2024-03-10 05:00", "--html", str(tmp_path / "page.html"))
    assert "2024-03-10T05:00:00" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_models_are_looked_at_untrained_and_side_by_side(finished):
    _, project, _ = finished
    found = json.loads(inspect(project, "simple_rnn", "custom_lstm", "--lookback", "20", "--horizon", "3", "--json"))
    assert [document["model"] for document in found] == ["simple_rnn", "custom_lstm"]
    assert not any(document["trained"] for document in found)
    assert [len(document["gradient_reach"]["layers"][0]["norms"]) for document in found] == [21, 21]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["smal"], "neither a file.*published is small"),
        (["gru", "--cutoff", "2024-03-10"], "--cutoff belongs to a published version.*small"),
        (["small", "--version", "9"], "no version 9 of small"),
        (["small", "--series", "x"], "no series 'x'"),
    ],
)
def test_what_cannot_be_shown_is_said(finished, arguments, words):
    _, project, _ = finished
    with pytest.raises((DefinitionError, DataError, StoreError), match=words):
        inspect(project, *arguments)


def test_a_damaged_inspection_is_an_error_and_a_missing_one_is_made_anew(tmp_path):
    assert read_inspection(tmp_path) is None
    (tmp_path / INSPECTION_FILE).write_text('{"format_version": 7}')
    with pytest.raises(StoreError, match="not of format 1"):
        read_inspection(tmp_path)
    (tmp_path / INSPECTION_FILE).write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        read_inspection(tmp_path)
