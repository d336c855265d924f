"""In what the networks of an ensemble differ besides their seed."""

from dataclasses import replace

import pytest

from forecaster.config import ModelDefinition
from forecaster.forecasting.defaults import Resolved
from forecaster.forecasting.variety import varied

HOURS = Resolved(336, (24, 168), 24, 24, 256, "log", False, 0.0, 0.0, "real", False, 336, 24, (), 4, 0, {})


def looks(resolved, horizon, **keys):
    definition = ModelDefinition(network="gru", ensemble=4, **{"masking": 0, **keys})
    each = [varied(resolved, definition, number, horizon) for number in range(4)]
    return [(one.lookback, one.relative) for one in each]


@pytest.mark.parametrize(
    ("resolved", "horizon", "expected"),
    [
        (HOURS, 48, [(336, False), (168, True), (264, False), (336, True)]),
        (replace(HOURS, transform="none"), 48, [(336, False), (168, False), (264, False), (336, False)]),
        (HOURS, 300, [(336, False), (312, True), (312, False), (336, True)]),
        (replace(HOURS, lookback=40, segment=4), 48, [(40, False), (40, True), (40, False), (40, True)]),
        (
            Resolved(12, (4,), 1, 4, 64, "log", True, 0.0, 0.0, "real", True, 64, 4, (), 1, 0, {}),
            4,
            [(12, True), (8, True), (9, True), (12, True)],
        ),
        (
            Resolved(15, (), 1, 1, 64, "none", False, 0.0, 0.0, "real", True, 40, 1, (), 1, 0, {}),
            6,
            [(15, False), (8, False), (11, False), (15, False)],
        ),
    ],
)
def test_lookbacks_are_whole_segments_that_hold_two_cycles_and_a_horizon(resolved, horizon, expected):
    assert looks(resolved, horizon) == expected


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        ((), [(336, False)] * 4),
        (("lookback",), [(336, False), (168, False), (264, False), (336, False)]),
        (("errors",), [(336, False), (336, True)] * 2),
    ],
)
def test_only_what_the_model_file_says_differs(vary, expected):
    assert looks(HOURS, 48, vary=vary) == expected


def test_lookbacks_stay_whole_where_training_hides_segments_of_them():
    assert looks(HOURS, 48, masking=0.1) == [(336, False), (336, True)] * 2
