"""`conformal: true`: bounds learnt from the validation part, by the network that has not seen it, inside the export."""

import numpy as np
import pytest

from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import cutoffs, forecast_windows, training_windows
from tests.synthetic import seasonal_panel, tiny

LOOKBACK, HORIZON = 24, 6


def fitted(panel, **changes):
    return RecurrentForecaster(
        tiny(finish=0.5, steps=6, evaluate_every=3, **changes), HORIZON, season=12, lookback=LOOKBACK
    ).fit(panel)


@pytest.fixture(scope="module")
def panel():
    return seasonal_panel(series=2)


@pytest.fixture(scope="module", params=[1, 2], ids=["one network", "an ensemble"])
def conformal(panel, request):
    return fitted(panel, conformal=True, ensemble=request.param)


def test_the_network_before_its_finish_holds_its_levels_on_the_validation_part(panel, conformal):
    held_out = training_windows(panel, LOOKBACK, HORIZON).after(
        cutoffs(panel, HORIZON, conformal.resolved.validation, HORIZON)[0]
    )
    batch = held_out.gather(slice(None))
    offsets = conformal._network.offsets.numpy()
    with conformal.unfinished():
        said = conformal._network.answer(batch.inputs)["quantiles"]
    assert np.array_equal(offsets, conformal._network.offsets.numpy()) and (offsets[:, [0, 1, 3, 4]] != 0).any()
    assert (offsets[:, 2] == 0).all()
    for low, high, share in ((1, 3, 0.8), (0, 4, 0.95)):
        inside = (said[..., low] <= batch.target) & (batch.target <= said[..., high])
        assert inside.mean() >= share


def test_medians_are_those_without_it(panel, conformal):
    if conformal.definition.ensemble == 1:
        plain = fitted(panel).quantiles(panel)
        said = conformal.quantiles(panel)
        assert np.array_equal(said[..., 2], plain[..., 2])
        assert not np.allclose(said, plain)
    assert (np.diff(conformal.quantiles(panel), axis=-1) >= 0).all()


def test_the_saved_model_holds_the_offsets(panel, conformal, tmp_path):
    import tensorflow as tf

    (tmp_path / "side").mkdir()
    conformal.export(tmp_path / "served", tmp_path / "side")
    call = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    past = forecast_windows(panel, LOOKBACK, HORIZON).gather(slice(None)).past
    assert call(past=tf.constant(past))["quantiles"].numpy() == pytest.approx(conformal.quantiles(panel), rel=1e-5)
