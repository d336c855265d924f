"""Law 2 and the export: a served forecast is what `predict` said, with TensorFlow alone."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from forecaster.errors import DataError, LevelError, StoreError
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.pipeline.inspection import Inside
from forecaster.pipeline.preparation import prepare
from forecaster.pipeline.publication import TOLERANCE, publish
from forecaster.series import read_csv
from forecaster.store import Store
from tests.synthetic import seasonal_panel, tiny

ALONE = """
import sys, json
for name in ("forecaster", "keras", "pandas"):
    sys.modules[name] = None  # any import of it fails
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
signature = model.signatures["serving_default"]
past = np.load(sys.argv[2])
said = signature(past=tf.constant(past))["quantiles"].numpy()
one = signature(past=tf.constant(past[:1]))["quantiles"].numpy()
operations = {node.op for node in signature.graph.as_graph_def().node}
for function in signature.graph.as_graph_def().library.function:
    operations |= {node.op for node in function.node_def}
np.save(sys.argv[3], said)
print(json.dumps({"operations": sorted(operations), "one": bool(np.allclose(one, said[:1], rtol=1e-5))}))
"""


@pytest.fixture(scope="module")
def version(finished):
    _, project, _ = finished
    return Store(project.store).read("small")


def windows_of(panel, lookback):
    values = panel.target[-lookback - 4 :]
    return np.stack([values[start : start + lookback] for start in range(4)])[:, :, None].astype(np.float32)


def test_the_savedmodel_runs_where_only_tensorflow_is(finished, version, tmp_path):
    _, project, _ = finished
    panel = read_csv(project.root / "demand.csv")
    past = windows_of(panel, version.manifest.lookback)
    past[1, 5:9] = np.nan
    np.save(tmp_path / "past.npy", past)
    command = [sys.executable, "-c", ALONE, str(version.served), str(tmp_path / "past.npy"), str(tmp_path / "said.npy")]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    said = np.load(tmp_path / "said.npy")
    assert said.shape == (4, 24, 5)
    assert np.isfinite(said).all() and (np.diff(said, axis=-1) > 0).all()
    assert answer["one"], "another batch size gives another forecast"
    assert not [name for name in answer["operations"] if "cudnn" in name.lower()]
    assert said.mean() == pytest.approx(100, abs=20)


@pytest.mark.parametrize(
    ("network", "transform"),
    [("simple_rnn", "log"), ("lstm", "log_return"), ("gru", "none"), ("custom_lstm", "difference")],
)
def test_law_2_the_exported_network_says_what_predict_says(finished, version, network, transform, tmp_path):
    steps = 200
    generator = np.random.default_rng(1)
    columns = {
        "past_load": generator.normal(size=2 * steps),
        "known_hour": np.tile(np.arange(steps) % 24.0, 2),
        "static_size": np.repeat([1.0, 2.0], steps),
    }
    panel = seasonal_panel(series=2, steps=steps, **columns)
    panel.values[3:9, 0] = np.nan
    forecaster = RecurrentForecaster(tiny(network), 6, season=12, lookback=24, transform=transform).fit(panel)
    (tmp_path / "served").mkdir()
    forecaster.export(tmp_path / "served", tmp_path)
    inputs = {"past": ["y", "past_load", "known_hour"], "known": ["known_hour"], "static": ["static_size"]}
    changes = {"inputs": inputs, "lookback": 24, "horizon": 6, "frequency": {"name": "h"}, "levels": [80.0, 95.0]}
    served = PublishedForecaster.load(tmp_path / "served", version.manifest.model_copy(update=changes))
    seen = panel.until(150)
    said, own = served.quantiles(seen), forecaster.quantiles(seen)
    spread = np.array([np.nanstd(seen.history(series)[-24:]) for series in range(2)])[:, None, None]
    assert (np.abs(said - own) <= TOLERANCE * np.maximum(np.abs(own), spread)).all()


def test_a_keras_file_lies_beside_and_loads_in_safe_mode(finished, version):
    import keras

    _, project, _ = finished
    past = windows_of(read_csv(project.root / "demand.csv"), version.manifest.lookback)
    model = keras.saving.load_model(version.side / "model.keras", safe_mode=True)
    served = PublishedForecaster(version)
    assert np.asarray(model({"past": past})["quantiles"]) == pytest.approx(served.run({"past": past}), rel=1e-5)


def test_a_network_that_exports_something_else_is_not_published(finished, tmp_path, monkeypatch):
    """Law 2 broken on purpose: the version is refused and the champion stays."""
    result, project, definition = finished
    definition = definition.model_copy(update={"models": definition.models[:1]})
    prepared = prepare(definition, project, project.root)
    network = RecurrentForecaster(project.model(definition.models[0]), 24, lookback=48).fit(prepared.fitting)
    honest = network.quantiles
    monkeypatch.setattr(network, "quantiles", lambda panel: honest(panel) * (1 + 3 * TOLERANCE))
    store = Store(project.store)
    before = store.versions("small")
    with pytest.raises(StoreError, match="forecasts something else than the trained one"):
        publish(store, definition, prepared, network, result.gate, {}, project.root, (), Inside(None))
    assert store.versions("small") == before


def test_law_8_a_full_disk_is_named_as_such(finished, monkeypatch):
    """TensorFlow, which writes the SavedModel, has an error of its own for that."""
    import tensorflow as tf

    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "saved_model.pb; No space left on device")

    result, project, definition = finished
    prepared = prepare(definition, project, project.root)
    network = RecurrentForecaster(project.model(definition.models[0]), 24, lookback=48).fit(prepared.fitting)
    store = Store(project.store)
    before = store.versions("small")
    monkeypatch.setattr("tensorflow.saved_model.save", full)
    with pytest.raises(StoreError, match=r"No space left on device.* Free some disk space"):
        publish(store, definition, prepared, network, result.gate, {}, project.root, (), Inside(None))
    assert store.versions("small") == before


def test_law_6_an_altered_byte_is_found_before_the_model_is_loaded(finished, tmp_path):
    import shutil

    _, project, _ = finished
    shutil.copytree(project.store, tmp_path / "store")
    weights = next((tmp_path / "store/small/1/variables").glob("*.data*"))
    content = bytearray(weights.read_bytes())
    content[100] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(StoreError, match="variables"):
        Store(tmp_path / "store").read("small")


def test_predict_checks_levels_columns_and_frequency(finished, version):
    _, project, _ = finished
    served = PublishedForecaster(version)
    panel = read_csv(project.root / "demand.csv")
    assert list(served.predict(panel, [80]).columns) == [
        "unique_id", "ds", "cutoff", served.name, f"{served.name}-lo-80", f"{served.name}-hi-80",
    ]  # fmt: skip
    with pytest.raises(LevelError, match="trained levels are 80, 95"):
        served.predict(panel, [90])
    with pytest.raises(DataError, match="known covariates none, the data have known_x"):
        served.predict(seasonal_panel(known_x=np.zeros(240)))
    hourly = seasonal_panel().frame()
    daily = hourly.assign(ds=hourly["ds"].iloc[0] + (hourly["ds"] - hourly["ds"].iloc[0]) * 24)
    with pytest.raises(DataError, match="trained on steps of h, the data have steps of D"):
        from forecaster.series import Columns, panel_from_frame

        served.predict(panel_from_frame(daily, Columns("unique_id")))


def test_gaps_are_filled_as_in_training_whatever_the_panel_says(finished, version):
    _, project, _ = finished
    panel = read_csv(project.root / "demand.csv")
    panel.values[-30:-20] = np.nan
    definition = version.manifest.definition
    forward = {**definition, "data": {**definition["data"], "missing": "forward"}}
    served = PublishedForecaster.load(version.served, version.manifest.model_copy(update={"definition": forward}))
    filled = panel.values.copy()
    filled[-30:-20] = filled[-31]
    expected = PublishedForecaster(version).quantiles(replace(panel, values=filled))
    assert np.array_equal(served.quantiles(panel), expected)
    assert not np.array_equal(PublishedForecaster(version).quantiles(panel), expected)
