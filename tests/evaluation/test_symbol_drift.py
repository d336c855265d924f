"""Drift of symbols against indices computed by hand."""

import numpy as np
import pandas as pd
import pytest

from forecaster.evaluation.symbol_drift import compare_symbols, symbol_reference
from forecaster.series import Columns
from forecaster.series.symbols import symbol_panel


def panel(names):
    frame = pd.DataFrame({"ds": range(len(names)), "y": names, "late": np.arange(len(names)) % 2})
    return symbol_panel(frame, Columns(known=["late"]))


def test_symbols_are_counted_up_to_the_border():
    found = symbol_reference(panel(["a", "b"] * 20 + ["c"] * 4), np.array([39]), 4)
    assert found["symbols"] == {
        "counts": {"a": 20, "b": 20},
        "others": 0,
        "usual": pytest.approx(usual(), rel=1e-6),
    }
    assert set(found["columns"]) == {"late"}


def usual():
    """Of a block of two of each: half a count is added to each of the three bins."""
    now, then = np.array([2.5, 2.5, 0.5]) / 5.5, np.array([20.5, 20.5, 0.5]) / 41.5
    return ((now - then) * np.log(now / then)).sum()


@pytest.mark.parametrize(
    ("later", "drifted"), [(["a", "b"] * 10, False), (["b"] * 20, True), (["new"] * 20, True), ([None] * 20, None)]
)
def test_other_symbols_than_in_training_are_drift(later, drifted):
    whole = panel(["a", "b"] * 50 + [*later, "a"])
    reference = symbol_reference(panel(["a", "b"] * 50), np.array([99]), 20)
    found = compare_symbols(whole, np.array([99]), reference)
    if drifted is not None:
        assert found["symbols"]["drifted"] is drifted
    assert not found["late"]["drifted"]
