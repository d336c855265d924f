"""What each topology reads and says: whole networks of every kind."""

import keras
import numpy as np
import pytest

from forecaster.networks.build import Shape, build
from tests.networks.test_build import inputs
from tests.synthetic import tiny

COVARIATES = Shape(24, 6, (0.1, 0.5, 0.9), past=1, known=2, static=1, seasons=(12,), segment=7)
PLAIN = Shape(24, 6, (0.1, 0.5, 0.9))

KINDS = {
    "encoder_decoder": tiny("gru", strategy="seq2seq", layers=2, dropout=0.1),
    "custom_lstm": tiny("custom_lstm", strategy="seq2seq", peephole=True, layer_norm=True, recurrent_dropout=0.1),
    "one_to_many": tiny("lstm", topology="one_to_many"),
    "one_to_one": tiny("feed_forward", strategy="recursive"),
    "dilated": tiny("custom_lstm", dilations=[1, 2], residual=True, coupled=True),
}


def shaken(network):
    """The same network with weights that matter: heads begin as zeros."""
    generator = np.random.default_rng(0)
    for weight in network.forecast.trainable_variables:
        weight.assign(weight + generator.normal(0, 0.2, weight.shape))
    return network


def quantiles(model, windows):
    """Run as it stands, without a graph to be traced first."""
    return np.asarray(model(windows)["quantiles"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_topology_forecasts_and_comes_back_from_its_file(kind, tmp_path):
    shape = Shape(24, 6, (0.1, 0.5, 0.9), 0, 2, 1, (12,)) if kind == "one_to_one" else COVARIATES
    network, windows = build(KINDS[kind], shape, seed=1), inputs()
    if kind == "one_to_one":
        windows["past"] = windows["past"][:, :, :3]
    said = quantiles(network.forecast, windows)
    assert said.shape == (3, 6, 3) and (np.diff(said, axis=2) > 0).all()
    network.forecast.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert np.allclose(quantiles(again, windows), said, rtol=1e-5)


@pytest.mark.parametrize("kind", ["encoder_decoder", "one_to_one"])
def test_held_out_windows_are_judged_as_they_are_forecast_without_true_values(kind):
    network, past = shaken(build(KINDS[kind], PLAIN, seed=1)), inputs()["past"][:, :, :1]
    target = past[:, :6, 0]
    judged = network.train(network.lesson({"past": past}, target), training=False)
    level, spread = np.asarray(judged["frame"])[:, :1, None], np.asarray(judged["frame"])[:, 1:, None]
    said = quantiles(network.forecast, {"past": past})
    assert np.allclose(level + spread * np.asarray(judged["quantiles"]), said, rtol=1e-4)
    taught = network.train({"past": past, "taught": target}, training=False)
    assert not np.allclose(taught["quantiles"], judged["quantiles"], atol=1e-3)


@pytest.mark.parametrize(("kind", "reads"), [("encoder_decoder", True), ("one_to_many", False), ("one_to_one", False)])
def test_networks_of_one_value_see_nothing_of_the_order_of_the_past(kind, reads):
    """Frame and naive base stay the same: only what the recurrence reads of the lookback can tell the windows apart."""
    network = shaken(build(KINDS[kind], PLAIN, seed=1))
    past = inputs(1)["past"][:, :, :1]
    turned = np.concatenate([past[:, 20::-1], past[:, 21:]], axis=1)
    before, after = (quantiles(network.forecast, {"past": one}) for one in (past, turned))
    assert np.allclose(before, after, rtol=1e-4) != reads


def test_a_stretch_for_each_step_where_outputs_are_fed_back():
    """Errors that grow threefold over the horizon are found by the held-out windows, step by step."""
    network = build(KINDS["one_to_one"], PLAIN, seed=1)
    generator = np.random.default_rng(0)
    past = generator.normal(size=(400, 24, 1)).astype(np.float32)
    errors = generator.normal(size=(400, 6)) * np.linspace(0.5, 1.5, 6)
    target = past[:, -1] + errors.astype(np.float32)
    stretches = network.calibrate({"past": past}, target)
    assert stretches.shape == (6,)
    assert stretches[-1] / stretches[0] == pytest.approx(3, rel=0.25)
