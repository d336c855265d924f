"""A warm start begins where the published fit stood before it learnt from its validation part, for the same network."""

from dataclasses import replace

import pytest

from forecaster.errors import DefinitionError
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.forecasting.training import Control
from forecaster.forecasting.warm import UNFINISHED, WarmStart, read_weights
from tests.synthetic import seasonal_panel, tiny


def fitted(panel, warm=None, **changes):
    model = tiny(finish=0.5, ensemble=2, conformal=True, **changes)
    return RecurrentForecaster(model, 6, season=12, lookback=24, warm=warm).fit(panel)


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
    return WarmStart("small version 1", "custom_lstm", cold.facts, read_weights(folder / UNFINISHED))


def test_it_begins_at_the_best_loss_of_the_fit_before_and_takes_a_third_of_the_steps(panel, cold, warm):
    again = fitted(panel, warm, evaluate_every=1)
    for number in (0, 1):
        before, now = (list(one.curves.values())[number] for one in (cold, again))
        assert now["validation"].iloc[0] == pytest.approx(before["validation"].min(), rel=1e-5)
        assert before["step"].max() == 20 and now["step"].max() == 7
        assert now["validation"].min() <= before["validation"].min() * (1 + 1e-5)


def test_its_rate_and_its_teacher_run_their_course_in_these_steps(panel):
    """At half the rate, and at the end it reads its own outputs alone."""
    model = tiny("gru", strategy="seq2seq", finish=0, steps=30, warmup=3, learning_rate=0.01)
    before = RecurrentForecaster(model, 6, season=12, lookback=24).fit(panel)
    warm = WarmStart("small version 1", "gru", before.facts, before._network.forecast.get_weights())
    again = RecurrentForecaster(model, 6, season=12, lookback=24, warm=warm).fit(panel)._network
    course = again.train.optimizer._learning_rate.get_config()
    assert (course["steps"], course["warmup"]) == (10, 3) and course["peak"] == pytest.approx(0.005)
    assert again.teacher.chance(10) == 0


def test_what_came_since_is_learnt_from_even_where_the_weights_were_the_best_already(panel):
    """Its finish is no share of the steps to the best loss, of which there may be none."""
    said = []
    model = tiny("gru", finish=0.5, steps=60, evaluate_every=10, patience=10)
    before = RecurrentForecaster(model, 6, season=12, lookback=24).fit(panel)
    with before.unfinished():
        warm = WarmStart("small version 1", "gru", before.facts, before._network.forecast.get_weights())
    RecurrentForecaster(model, 6, season=12, lookback=24, warm=warm, control=Control(said.append)).fit(panel)
    assert [(one.step, one.steps) for one in said if one.finishing and one.done] == [(10, 10)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lookback": 36}, "custom_lstm has lookback 36, and small version 1 has 24; write what it had"),
        ({"units": 5}, "custom_lstm has units 5, and small version 1 has 4"),
        ({"known": ["price"]}, "custom_lstm has known price, and small version 1 has none"),
        ({"conformal": False}, "conformal False, and small version 1 has True"),
    ],
)
def test_another_network_is_refused_with_what_differs(cold, warm, changes, words):
    with pytest.raises(DefinitionError, match=words):
        warm.check({**cold.facts, **changes})


def test_a_network_keeps_its_cycle_when_the_data_have_come_to_be_enough_to_weigh_past_ones(panel, cold, warm):
    """No key of a model or pipeline file sets it, so a refusal could not be heeded."""
    assert cold.resolved.cycle == 1 < fitted(seasonal_panel(series=2, steps=480)).resolved.cycle
    again = fitted(seasonal_panel(series=2, steps=480), warm)
    assert again.resolved.cycle == again.facts["cycle"] == 1


def test_another_lookback_is_refused_before_networks_are_built_that_cannot_be(panel, cold, warm):
    """A lookback may not hold one of the cycles that the published network weighs."""
    weighed = replace(warm, facts={**warm.facts, "cycle": 12})
    model = tiny(finish=0.5, ensemble=2, conformal=True)
    with pytest.raises(DefinitionError, match="has lookback 6, and small version 1 has 24"):
        RecurrentForecaster(model, 6, season=12, lookback=6, warm=weighed).fit(panel)


def test_an_ensemble_of_before_masking_had_none(cold, warm):
    """Its facts do not tell of it; weights of networks that looked back differently are not for these."""
    told = {key: value for key, value in warm.facts.items() if key != "masking"}
    assert cold.facts["masking"] == 0.0
    replace(warm, facts=told).check(cold.facts)
    replace(warm, facts={**told, "masking": "auto"}).check(cold.facts)
    with pytest.raises(DefinitionError, match=r"custom_lstm has masking 0.1, and small version 1 has 0\.0; write what"):
        replace(warm, facts=told).check({**cold.facts, "masking": 0.1})
    with pytest.raises(DefinitionError, match="custom_lstm has vary lookback, errors, and small version 1 has none"):
        replace(warm, facts={key: told[key] for key in told if key != "vary"}).check(cold.facts)


def test_weights_of_other_shapes_are_refused(cold, warm):
    with pytest.raises(DefinitionError, match="other shapes"):
        replace(warm, weights=warm.weights[:-1]).give(cold._network)


def test_a_file_that_is_no_network_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / UNFINISHED).write_text("nothing", encoding="utf-8")
    with pytest.raises(DefinitionError, match="warm_start: false"):
        read_weights(tmp_path / UNFINISHED)
