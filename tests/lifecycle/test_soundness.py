"""Challengers that are not sound, each in its own way."""

import numpy as np
import pandas as pd
import pytest

from forecaster.lifecycle.soundness import fault_of, fault_of_symbols
from tests.synthetic import seasonal_panel


def frame(panel, **changes):
    """Forecasts of twelve steps that are nearly right, with an 80% interval."""
    y = panel.history(0)[-12:]
    stamps = panel.frame()["ds"].iloc[-12:].to_numpy()
    columns = {"unique_id": "s0", "ds": stamps, "cutoff": stamps[0], "y": y}
    columns |= {"gru": y, "gru-lo-80": y - 0.5, "gru-hi-80": y + 0.5}
    return pd.DataFrame({**columns, **{key.replace("_", "-"): made(y) for key, made in changes.items()}})


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({}, None),
        ({"gru": lambda y: np.where(np.arange(12) == 3, np.nan, y)}, "1 of its 12 forecasts are not finite"),
        ({"gru_hi_80": lambda y: np.full(12, np.inf)}, "12 of its 12 forecasts are not finite"),
        ({"gru": lambda y: y + 1}, "not in order in 12 of 12"),
        ({"gru_lo_80": lambda y: y - 1e4}, "times as wide as all past values together"),
        ({"gru_lo_80": lambda y: y + 0.1, "gru": lambda y: y + 0.2}, "holds only 0% of the outcomes"),
    ],
)
def test_faults_are_named(changes, fragment):
    panel = seasonal_panel()
    fault = fault_of(frame(panel, **changes), "gru", [80], panel)
    assert fault is None if fragment is None else fragment in str(fault)


def test_a_series_that_never_changed_has_no_range_to_measure_intervals_by():
    panel = seasonal_panel(series=2)
    panel.target[panel.offsets[1] :] = 5.0
    both = pd.concat([frame(panel), frame(panel).assign(unique_id="s1")])
    with np.errstate(all="raise"):
        assert fault_of(both, "gru", [80], panel) is None


@pytest.mark.parametrize(
    ("changes", "told", "fragment"),
    [
        ({}, [0.1, 0.6, 0.3], None),
        ({"gru-3-p": [0.0, 0.0]}, [0.1, 0.6, 0.3], None),  # of a symbol that did not come it may be 0
        ({"gru-p": [np.nan, 0.6]}, [0.1, 0.6, 0.3], "1 of its forecasts are not finite"),
        ({}, [0.1, np.inf, 0.3], "1 of its forecasts are not finite"),
        ({"gru-y-p": [0.0, np.nan]}, [0.1, 0.6, 0.3], "1 of its forecasts have probabilities that are 0"),
        ({"gru-2-p": [0.3, 1.2]}, [0.1, 0.6, 0.3], "not between 0 and 1"),
        ({}, [0.1, 0.6, 0.2], "add up to 0.9 instead of 1 in 1 of 1"),
    ],
)
def test_probabilities_must_be_such(changes, told, fragment):
    columns = {"unique_id": "s0", "ds": [1, 2], "cutoff": [0, 1], "y": ["fish", None], "gru": "fish", "gru-p": 0.6,
               "gru-2": "rice", "gru-2-p": 0.3, "gru-3": "soup", "gru-3-p": 0.1, "gru-y-p": [0.6, np.nan]}  # fmt: skip
    fault = fault_of_symbols(pd.DataFrame({**columns, **changes}), "gru", np.array([[told]]))
    assert fault is None if fragment is None else fragment in fault
