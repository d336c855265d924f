"""Exports of a published network: copies are what was published, conversions forecast the same or are refused."""

from dataclasses import replace

import numpy as np
import pytest

from forecaster.errors import DefinitionError, ForecasterError, ParityError
from forecaster.forecasting import conversion
from forecaster.forecasting.export import export
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.store import Store
from tests.store.fake_publisher import draft
from tests.synthetic import seasonal_panel, tiny


def published(folder, network, transform, support="real"):
    """A small network with covariates and a share of the Theta method, trained for five steps."""
    steps = 120
    known = np.tile(np.arange(steps) % 24.0, 2)
    panel = seasonal_panel(series=2, steps=steps, known_hour=known, static_size=np.repeat([1.0, 2.0], steps))
    forecaster = RecurrentForecaster(
        tiny(network, steps=5, evaluate_every=5, theta=0.4, support=support), 6,
        season=12, lookback=24, transform=transform,
    ).fit(panel)  # fmt: skip
    store = Store(folder)
    told = draft(
        model=network, model_definition=forecaster.definition.model_dump(mode="json"), horizon=6,
        lookback=forecaster.reads,
        inputs={"past": ["y", "known_hour"], "known": ["known_hour"], "static": ["static_size"]},
        levels=[80.0, 95.0], quantiles=[0.025, 0.1, 0.5, 0.9, 0.975],
    )  # fmt: skip
    with store.stage("energy") as staging:
        forecaster.export(staging.served, staging.side)
        return store.publish(staging, told)


@pytest.fixture(
    scope="module",
    params=[("gru", "log_return"), ("lstm", "none"), ("gru", "none", "whole")],
    ids=["gru", "lstm", "whole numbers"],
)
def version(request, tmp_path_factory):
    return published(tmp_path_factory.mktemp("store"), *request.param)


def test_a_litert_model_forecasts_the_same_also_with_missing_values(version, tmp_path):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="the extra litert is not installed")
    content = export(version, "litert", tmp_path / "energy.tflite").read_bytes()
    told = interpreter.Interpreter(model_content=content)
    assert sorted(one["name"] for one in told.get_input_details()) == ["known", "past", "static"]


def test_an_onnx_model_forecasts_the_same_in_any_batch(version, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("tf2onnx", reason="the extra onnx is not installed")
    path = export(version, "onnx", tmp_path / "energy.onnx")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    past = 20 + np.random.default_rng(0).normal(size=(3, version.manifest.lookback, 2)).astype(np.float32)
    past[1, 4:9] = np.nan
    inputs = {"past": past, "known": np.ones((3, 6, 1), np.float32), "static": np.ones((3, 1), np.float32)}
    said = session.run(["quantiles"], inputs)[0]
    wanted = conversion.PublishedForecaster(version).run(inputs)
    assert said == pytest.approx(wanted, rel=1e-5, abs=1e-4) and np.isfinite(said).all()


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_networks_that_go_step_by_step_say_what_to_do_instead(version, tmp_path, format, monkeypatch):
    monkeypatch.setattr(conversion, "_wanted", lambda *_: None)
    recursive = {**version.manifest.model_definition, "strategy": "recursive", "segment": "auto", "theta": "auto"}
    changed = replace(version, manifest=version.manifest.model_copy(update={"model_definition": recursive}))
    with pytest.raises(ForecasterError, match=r"goes step by step and draws paths.*export it as savedmodel"):
        export(changed, format, tmp_path / "energy")


def test_a_conversion_that_forecasts_something_else_is_not_written(version, tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert.interpreter", reason="the extra litert is not installed")
    monkeypatch.setattr(conversion, "TOLERANCE", -1.0)
    with pytest.raises(ParityError, match="forecasts something else than the published network"):
        export(version, "litert", tmp_path / "energy.tflite")
    assert list(tmp_path.iterdir()) == []


def test_copies_are_what_was_published(version, tmp_path):
    copied = export(version, "savedmodel", tmp_path / "model")
    assert (copied / "saved_model.pb").read_bytes() == (version.served / "saved_model.pb").read_bytes()
    assert export(version, "keras", tmp_path / "model.keras").read_bytes()[:2] == b"PK"
    with pytest.raises(DefinitionError, match="write --force"):
        export(version, "keras", tmp_path / "model.keras")
    assert export(version, "keras", tmp_path / "model.keras", force=True).is_file()
    (copied / "torn").touch()
    assert not (export(version, "savedmodel", copied, force=True) / "torn").exists()
    (tmp_path / "empty").mkdir()
    assert export(version, "savedmodel", tmp_path / "empty", force=True).is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "model", "model.keras"]


def test_a_folder_of_other_files_is_never_replaced(version, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for form, suffix in (("keras", "keras"), ("litert", "tflite"), ("onnx", "onnx")):
        with pytest.raises(DefinitionError, match=rf"is a folder, .* write --out .*energy\.{suffix}"):
            export(version, form, tmp_path, force=True)
    with pytest.raises(DefinitionError, match="a folder of other files, which is not replaced; write another name"):
        export(version, "savedmodel", tmp_path, force=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_what_cannot_be_done_says_why_and_what_to_do(version, tmp_path, monkeypatch):
    with pytest.raises(DefinitionError, match="savedmodel, keras, litert or onnx"):
        export(version, "pickle", tmp_path / "x")
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ForecasterError, match=r"install forecaster\[litert\]"):
        export(version, "litert", tmp_path / "x")
    with pytest.raises(ForecasterError, match="cannot be written"):
        export(version, "keras", version.side / "model.keras" / "inside")
