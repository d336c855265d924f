"""Challengers that are not sound, each in its own way."""

import numpy as np
import pandas as pd
import pytest

from forecaster.lifecycle.soundness import fault_of
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
