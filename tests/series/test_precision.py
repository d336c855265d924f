"""What 32-bit numbers are too coarse for, or too small, is told of, and refused where nothing else is there."""

import numpy as np
import pandas as pd
import pytest

from forecaster.series import Columns, panel_from_frame
from forecaster.series.future import join_known
from tests.series.small import days, table


@pytest.mark.parametrize(
    ("offset", "size", "note"),
    [
        (20_345_678.0, 0.4, "too coarse"),
        (1e9, 1.2, "too coarse"),
        (1_235_000.0, 0.4, "rounding"),
        (1_235_000.0, 40.0, None),
        (0.0, 0.4, None),
        (100.0, 1e-13, None),  # the rounding of 64-bit numbers
        (1e12, 1.2, "too coarse"),
        (2e15, 8.0, "too coarse"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_changes_finer_than_32_bit_numbers_are_told_of(offset, size, note, order):
    """A meter that stands at twenty million and moves by half a unit an hour; in any order of the rows."""
    values = offset + np.cumsum(size * np.random.default_rng(1).uniform(0.5, 1.5, 60))
    panel = panel_from_frame(table(ds=days(60), y=values)[::order], freq="D")
    assert {"too coarse", "rounding"} & panel.notes.keys() == ({note} if note else set())
    if note:
        assert "subtract a constant from its values, or give its changes" in panel.notes[note]


@pytest.mark.parametrize(
    "values", [10_000_000.0 + np.arange(60), 4_000_000 + np.arange(60) / 2, np.full(60, 16_777_217.0)]
)
def test_what_32_bit_numbers_hold_exactly_is_not_too_fine(values):
    panel = panel_from_frame(table(ds=days(60), y=values), freq="D")
    assert not {"too coarse", "rounding"} & panel.notes.keys()


@pytest.mark.parametrize(
    "values",
    [10**13 + np.arange(60) % 9, 1e12 + np.arange(60), 2**53 + 2 * np.arange(60), -(10**16) - 4 * np.arange(60)],
)
def test_whole_numbers_are_exact_whatever_their_size(values):
    panel = panel_from_frame(table(ds=days(60), y=values), freq="D")
    assert "too coarse to learn from" in panel.notes["too coarse"]


def test_covariates_that_are_too_fine_are_told_of():
    frame = table(ds=days(60), y=np.arange(60), k=1.7e9 + np.arange(60), p=np.arange(60.0))
    panel = panel_from_frame(frame, Columns(known=["k"], past=["p"]), freq="D")
    assert panel.notes["rounding in k"].startswith("'k' of series 'y' changes by 1 from row to row")
    assert not {"too coarse", "rounding", "rounding in p"} & panel.notes.keys()


def test_small_series_are_told_of_and_alone_there_is_nothing_to_learn_from():
    frame = pd.concat([table(ds=days(9), who=who, y=size * np.arange(9)) for who, size in (("a", 1e-20), ("b", 1.0))])
    panel = panel_from_frame(frame, Columns("who"), freq="D")
    assert panel.notes["too small"].startswith("series 'a' has no value above 8e-20 in size")
    told = panel_from_frame(frame[frame["who"] == "a"], Columns("who")).notes["too coarse"]
    assert "no value above 8e-20 in size, too small" in told and "multiply it" in told


def test_a_dry_week_is_no_reason_to_refuse_a_forecast():
    """What a weather model leaves of zero is as good as zero."""
    rain = np.where(np.arange(60) < 53, np.arange(60) % 7, [0, 1.2e-16] * 30)
    panel = panel_from_frame(table(ds=days(53), y=np.arange(53.0), rain=rain[:53]), Columns(known=["rain"]), freq="D")
    coming = pd.DataFrame({"ds": days(60)[53:], "rain": rain[53:]})
    assert join_known(panel, coming).known and "too small" not in panel.notes


def test_series_that_are_all_too_fine_but_for_one_that_never_changes():
    steps = np.arange(60)
    parts = {"a": 2e7 + 0.4 * steps, "b": 2e7 + 0.3 * steps, "dead": 0.0 * steps}
    panel = panel_from_frame(pd.concat(table(ds=days(60), who=who, y=y) for who, y in parts.items()), Columns("who"))
    assert "series 'b' changes by 0.3" in panel.notes["too coarse"]


def test_one_series_too_fine_does_not_stop_the_others():
    steps = np.arange(60)
    frame = pd.concat([table(ds=days(60), who=who, y=level + 0.4 * steps) for who, level in (("a", 2e7), ("b", 0.0))])
    panel = panel_from_frame(frame, Columns("who"), freq="D")
    assert "series 'a' changes by 0.4" in panel.notes["rounding"] and "(the worst of 1 such)" in panel.notes["rounding"]
    assert "too coarse" not in panel.notes
