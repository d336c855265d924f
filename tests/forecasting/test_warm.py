"""A warm start begins where the published fit stood before it learnt from its validation part, for the same network."""

import numpy as np
import pytest

from forecaster.errors import DefinitionError
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.warm import UNFINISHED, WarmStart, read_weights
from tests.synthetic import seasonal_panel, tiny


def fitted(panel, warm=None, lookback=24, **changes):
    model = tiny(finish=0.5, ensemble=2, conformal=True).model_copy(update=changes)
    return RecurrentForecaster(model, 6, season=12, lookback=lookback, warm=warm).fit(panel)


@pytest.fixture(scope="module")
def panel():
    return seasonal_panel(series=2)


@pytest.fixture(scope="module")
def cold(panel):
    return fitted(panel)


@pytest.fixture(scope="module")
def warm(cold, tmp_path_factory):
    folder = tmp_path_factory.mktemp("side")
    cold.export(folder / "served", folder)
    return WarmStart("small version 1", "gru", cold.facts, read_weights(folder / UNFINISHED))


def test_it_begins_at_the_best_loss_of_the_fit_before_and_takes_a_third_of_the_steps(panel, cold, warm):
    again = fitted(panel, warm, evaluate_every=1)
    for number in (0, 1):
        before, now = (list(one.curves.values())[number] for one in (cold, again))
        assert now["validation"].iloc[0] == pytest.approx(before["validation"].min(), rel=1e-5)
        assert before["step"].max() == 20 and now["step"].max() == 7
        assert now["validation"].min() <= before["validation"].min() * (1 + 1e-5)


def test_without_a_step_it_forecasts_as_the_version_did_before_its_finish(panel, cold, warm):
    still = fitted(panel, warm, learning_rate=1e-12, finish=0.0, steps=1)
    with cold.unfinished():
        expected = cold.quantiles(panel)
    assert still.quantiles(panel)[..., 2] == pytest.approx(expected[..., 2], rel=1e-4)
    assert not np.allclose(expected, cold.quantiles(panel))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lookback": 36}, "gru has lookback 36, and small version 1 24; write what it had"),
        ({"units": 5}, "gru has units 5, and small version 1 4"),
        ({"network": "lstm"}, "gru has network lstm"),
        ({"conformal": False}, "conformal False"),
    ],
)
def test_another_network_is_refused_with_what_differs(panel, warm, changes, words):
    with pytest.raises(DefinitionError, match=words):
        fitted(panel, warm, **changes)


def test_a_file_that_is_no_network_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / UNFINISHED).write_text("nothing", encoding="utf-8")
    with pytest.raises(DefinitionError, match="warm_start: false"):
        read_weights(tmp_path / UNFINISHED)
