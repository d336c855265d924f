"""Segments of the lookback that are hidden in training."""

import numpy as np
import pytest

from forecaster.forecasting.masking import masked, masking
from forecaster.forecasting.recurrent import RecurrentForecaster
from forecaster.series import Batch
from tests.synthetic import seasonal_panel, tiny


def windows(count, lookback, missing=0):
    past = np.random.default_rng(0).uniform(1, 9, (count, lookback, 2)).astype(np.float32)
    past[:, :missing, 0] = np.nan
    return Batch(past, np.zeros((count, 3, 1)), np.zeros((count, 0)), np.ones((count, 3)))


def hidden(batch):
    return np.isnan(batch.past[:, :, 0])


def test_whole_segments_are_hidden_and_never_the_last():
    steps = hidden(masked(windows(200, 14), 0.3, 4, np.random.default_rng(1)))
    assert not steps[:, -4:].any()
    pieces = [steps[:, :2], steps[:, 2:6], steps[:, 6:10]]  # counted from the end, the first is shorter
    assert all((piece.all(axis=1) == piece.any(axis=1)).all() and piece.any() for piece in pieces)


def test_the_share_holds_on_average_and_differs_from_window_to_window():
    steps = hidden(masked(windows(2_000, 41), 0.1, 1, np.random.default_rng(1)))[:, :-1]
    assert steps.mean() == pytest.approx(0.1, abs=0.005)
    assert steps.mean(axis=1).std() > 0.065  # a share of 0.1 in each would give 0.047


def test_only_the_targets_lookback_is_hidden():
    before = windows(50, 12)
    after = masked(before, 0.5, 3, np.random.default_rng(1))
    assert not hidden(before).any() and hidden(after).any()
    assert np.array_equal(after.past[:, :, 1], before.past[:, :, 1])
    assert after.target is before.target and after.known is before.known


def test_something_of_every_window_stays():
    late = windows(100, 12)
    late.past[:, 3:, 0] = np.nan  # nothing behind the first segment is observed
    assert not hidden(masked(late, 0.5, 3, np.random.default_rng(1)))[:, :3].any()


def test_law_3_masks_are_a_function_of_the_seed_and_the_step():
    batch = windows(20, 12)
    shown = [masking(lambda step: batch, 0.5, 3, seed) for seed in (1, 1, 2)]
    first, same, later, other = (hidden(one) for one in (shown[0](7), shown[1](7), shown[0](8), shown[2](7)))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, later) and not np.array_equal(first, other)


def test_a_fit_hides_what_its_model_file_says_and_nothing_it_is_stopped_by(monkeypatch):
    from forecaster.forecasting import lessons

    shares = []
    monkeypatch.setattr(
        lessons, "masking", lambda batch, share, segment, seed: shares.append((share, segment)) or batch
    )
    panel = seasonal_panel(series=2)
    for share, expected in (("auto", [(0.1, 12)] * 2), (0.3, [(0.3, 12)] * 2), (0.0, [])):
        shares.clear()
        RecurrentForecaster(tiny(masking=share, steps=2), 6, lookback=48, season=12).fit(panel)
        assert shares == expected  # the fit's batches, and those of its finish
