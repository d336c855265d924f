"""Drift of inputs by the population stability index, of errors by Welch's test: by hand and by simulation."""

import numpy as np
import pytest

from forecaster.evaluation.drift import compare_errors, compare_inputs, input_reference, stability_index
from tests.synthetic import seasonal_panel


def test_the_index_by_hand():
    """Shares 0.75 and 0.25 against halves: 0.25 ln 1.5 + (-0.25) ln 0.5, with half a count in each bin."""
    recent, trained = np.array([749.5, 249.5]), np.array([499.5, 499.5])
    assert stability_index(recent, trained) == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


def reference(panel, border, steps=48):
    until = panel.first + border - 1
    return input_reference(panel, until, steps), until


def test_a_like_continuation_is_no_drift_and_a_shifted_one_is():
    panel = seasonal_panel(series=2, steps=480, past_load=np.random.default_rng(0).normal(size=960))
    told, until = reference(panel, 400)
    calm = compare_inputs(panel, until, told)
    assert set(calm) == {"target", "past_load"} and not any(one["drifted"] for one in calm.values())
    panel.values[panel.offsets[0] + 410 : panel.offsets[1], 1] += 5
    panel.values[panel.offsets[1] + 410 :, 1] += 5
    moved = compare_inputs(panel, until, told)
    assert moved["past_load"]["drifted"] and not moved["target"]["drifted"]


def test_series_of_other_sizes_are_compared_on_their_own_scale():
    """The second series is ten times the first and sits elsewhere: neither has drifted."""
    panel = seasonal_panel(series=2, steps=480)
    panel.values[panel.offsets[1] :, 0] *= 10
    told, until = reference(panel, 400)
    assert not compare_inputs(panel, until, told)["target"]["drifted"]


def test_what_is_usual_in_the_training_part_is_no_drift():
    """A slow wave: each block differs from the whole, and the recent one no more than others did."""
    panel = seasonal_panel(steps=960, season=400)
    told, until = reference(panel, 800)
    found = compare_inputs(panel, until, told)["target"]
    assert found["usual"] > 0.25 and not found["drifted"]


def test_constant_columns_and_missing_values_are_left_out():
    panel = seasonal_panel(steps=240, past_flat=np.ones(240))
    panel.values[50:60, 0] = np.nan
    told, until = reference(panel, 200, steps=24)
    assert set(told["columns"]) == {"target"} and sum(told["columns"]["target"]["counts"]) == 190
    assert set(compare_inputs(panel, until, told)) == {"target"}


@pytest.mark.parametrize("rate", [0.2, 0.05, 0.01])
def test_what_is_rare_is_seen_when_it_becomes_frequent(rate):
    """A promotion's flag, and demand that comes now and then: most of their tenths are the same number."""
    generator = np.random.default_rng(1)
    panel = seasonal_panel(steps=1000, past_promotion=(generator.random(1000) < rate).astype(float))
    panel.values[:, 0] = np.where(generator.random(1000) < rate, generator.integers(1, 5, 1000), 0)
    told, until = reference(panel, 800, steps=100)
    assert not any(one["drifted"] for one in compare_inputs(panel, until, told).values())
    panel.values[850:, 0] = generator.integers(50, 100, 150)
    panel.values[850:, 1] = 1
    assert all(one["drifted"] for one in compare_inputs(panel, until, told).values())


def test_a_few_new_steps_are_no_drift():
    """Behind a network that has learnt from all data: what is called recent is as long as what is usual."""
    panel = seasonal_panel(steps=960, past_load=np.random.default_rng(3).normal(size=960))
    for border in range(900, 960, 7):
        told, until = reference(panel, border, steps=100)
        found = compare_inputs(panel, until, told)
        assert set(found) == {"target", "past_load"} and not any(one["drifted"] for one in found.values())
    told, until = reference(panel, 960)
    assert compare_inputs(panel, until, told) == {}


@pytest.mark.parametrize(
    ("recent", "then", "drifted"),
    [
        ([1.0, 1.1, 0.9, 1.0], [1.0, 0.9, 1.1, 1.05], False),
        ([3.0, 3.2, 2.9, 3.1], [1.0, 0.9, 1.1, 1.05], True),
        ([0.1, 0.2, 0.1, 0.15], [1.0, 0.9, 1.1, 1.05], False),
        ([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], True),
    ],
)
def test_errors_drift_when_they_grow(recent, then, drifted):
    assert compare_errors(recent, then)["drifted"] is drifted


@pytest.mark.parametrize("recent", [[], [9.0, 9.0], [9.0, 9.0, np.nan]])
def test_two_new_errors_say_nothing(recent):
    assert compare_errors(recent, [1.0, 1.1, 0.9]) == {}
