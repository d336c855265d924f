"""Diebold-Mariano and Holm: by hand, against scipy, against the papers' formulas written anew, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecaster.errors import ForecasterError
from forecaster.evaluation import METRICS, by_cutoff, diebold_mariano, holm
from tests.evaluation.doubles import backtest_frame


def hln(model, rival, overlap):
    """Harvey, Leybourne and Newbold (1997), equations 1 to 9, step by step; None where the variance is negative."""
    d = [a - b for a, b in zip(model, rival, strict=True)]
    n = len(d)
    mean = sum(d) / n
    variance = 0.0
    for lag in range(overlap):
        autocovariance = sum((d[t] - mean) * (d[t - lag] - mean) for t in range(lag, n)) / n
        variance += autocovariance if lag == 0 else 2 * autocovariance
    if variance <= 0:
        return None
    statistic = mean / (variance / n) ** 0.5
    adjusted = statistic * ((n + 1 - 2 * overlap + overlap * (overlap - 1) / n) / n) ** 0.5
    return stats.t(n - 1).cdf(adjusted)


def moving_averages(generator, count, width):
    return np.convolve(generator.normal(size=count + width - 1), np.ones(width), mode="valid")


def test_by_hand_without_overlap():
    # d = -1, -2, -3: mean -2, standard deviation 1, t = -2 / (1 / √3) = -3.4641; Student with 2 degrees of freedom:
    # p = (1 - 3.4641 / √(2 + 12)) / 2 = 0.0371
    assert diebold_mariano([1, 1, 1], [2, 3, 4]) == pytest.approx((1 - np.sqrt(12 / 14)) / 2, abs=1e-12)


def test_by_hand_with_overlap():
    # d = 0, -1, -2, -3: mean -1.5, g0 = 5/4, g1 = (1.5·0.5 - 0.5·0.5 + 0.5·1.5) / 4 = 1.25/4; v = g0 + 2 g1 = 1.875;
    # correction (5 - 4 + 2/4) / 4 = 0.375; t = -1.5 / √(1.875/4) · √0.375 = -1.3416; 3 degrees of freedom
    expected = stats.t(3).cdf(-1.5 / np.sqrt(1.875 / 4) * np.sqrt(0.375))
    assert diebold_mariano([0, 0, 0, 0], [0, 1, 2, 3], overlap=2) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("count", [3, 7, 28])
def test_without_overlap_it_is_the_one_sample_t_test(count):
    generator = np.random.default_rng(count)
    model, rival = generator.normal(0.3, 1, count), generator.normal(0, 1, count)
    theirs = stats.ttest_1samp(model - rival, 0, alternative="less").pvalue
    assert diebold_mariano(model, rival) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("overlap", [2, 3, 5])
def test_with_overlap_it_is_harvey_leybourne_and_newbold(overlap):
    """Exactly so for differences that are correlated as overlap makes them; never surer where they are not."""
    generator = np.random.default_rng(overlap)
    same = 0
    for _ in range(200):
        rival = 0.5 + moving_averages(generator, 28, overlap)
        ours, theirs = diebold_mariano(np.zeros(28), rival, overlap), hln(np.zeros(28), rival, overlap)
        same += theirs is not None and ours == pytest.approx(theirs, rel=1e-9)
        surer = theirs is not None and abs(ours - 0.5) > abs(theirs - 0.5) + 1e-9
        assert not surer
    assert same > 150


def test_an_overlap_longer_than_the_series_of_cutoffs_is_still_a_test():
    generator = np.random.default_rng(0)
    model, rival = generator.normal(size=5), generator.normal(size=5)
    assert 0 < diebold_mariano(model, rival, overlap=48) < 1


def rejections(draw, count, overlap, trials=2000):
    """Share of trials in which differences of mean zero are found significant at 5%."""
    generator = np.random.default_rng(1)
    zero = np.zeros(count)
    return np.mean([diebold_mariano(draw(generator), zero, overlap) < 0.05 for _ in range(trials)])


@pytest.mark.parametrize(
    ("overlap", "count", "most"), [(1, 14, 0.06), (1, 28, 0.06), (3, 14, 0.09), (3, 28, 0.08), (3, 56, 0.065)]
)
def test_equally_good_models_are_rarely_found_different(overlap, count, most):
    """Rejections at 5% under the null, where successive differences share targets as the overlap says."""
    assert rejections(lambda generator: moving_averages(generator, count, overlap), count, overlap) < most


@pytest.mark.parametrize("overlap", [2, 3, 6])
def test_allowing_for_overlap_that_is_not_there_costs_no_honesty(overlap):
    assert rejections(lambda generator: generator.normal(size=14), 14, overlap) < 0.06


def test_ignoring_overlap_would_find_differences_that_are_none():
    assert rejections(lambda generator: moving_averages(generator, 28, 3), 28, overlap=1, trials=500) > 0.12


def test_it_is_one_sided():
    generator = np.random.default_rng(2)
    better, worse = generator.normal(1, 0.1, 14), generator.normal(2, 0.1, 14)
    assert diebold_mariano(better, worse) < 0.001
    assert diebold_mariano(worse, better) > 0.999
    assert diebold_mariano(better, worse) + diebold_mariano(worse, better) == pytest.approx(1)


def test_degenerate_losses():
    same = np.array([1.0, 2.0, 3.0])
    assert diebold_mariano(same, same) == 0.5
    assert diebold_mariano(same, same + 1) == 0
    assert diebold_mariano(same + 1, same) == 1
    assert diebold_mariano(same[:2], 2 * same[:2]) == 1
    assert diebold_mariano([], []) == 1
    assert diebold_mariano([1.0, np.nan, 1.0, 1.0], [9.0, 8.0, 9.0, 7.0]) == 1
    assert diebold_mariano([1.0, np.inf, 1.0, 1.0], [9.0, 8.0, 9.0, 7.0]) == 1


def test_an_overlap_of_zero_is_refused():
    with pytest.raises(ForecasterError, match="write 1"):
        diebold_mariano([1, 2, 3], [1, 2, 4], overlap=0)


def test_holm_by_hand():
    # in order 0.005·4, 0.01·3, 0.03·2, 0.04·1, none below the one before: the example of Holm's procedure
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert holm([0.2]) == pytest.approx([0.2])
    assert holm([]).tolist() == []


def test_holm_passes_over_what_was_not_tested():
    assert holm([np.nan, 0.01, np.nan, 0.02]) == pytest.approx([np.nan, 0.02, np.nan, 0.02], nan_ok=True)


def test_holm_rejects_what_the_step_down_procedure_rejects():
    """Written as Holm (1979) did: compare the smallest with α / n, the next with α / (n − 1), stop at a failure."""
    generator = np.random.default_rng(3)
    for _ in range(100):
        p = generator.random(6) ** 4
        rejected = set()
        for rank, place in enumerate(np.argsort(p)):
            if p[place] >= 0.05 / (6 - rank):
                break
            rejected.add(place)
        assert set(np.flatnonzero(holm(p) < 0.05)) == rejected


SCALE = pd.Series({"s0": 1.0, "s1": 1.0, "s2": 1.0})


def test_curve_on_a_shared_clock_is_the_mean_over_series_at_each_cutoff_oldest_first():
    frame = backtest_frame(["m"], cutoffs=4, missing=0).sample(frac=1, random_state=0)
    curve = by_cutoff(frame, "m", METRICS["mase"], SCALE, shared_clock=True)
    expected = (frame["m"] - frame["y"]).abs().groupby(frame["cutoff"]).mean()
    assert curve.index.is_monotonic_increasing
    assert curve.to_dict() == pytest.approx(expected.to_dict())


def own_clocks(cutoffs_by_series, loss):
    rows = [
        {"unique_id": name, "ds": cutoff + 1, "cutoff": cutoff, "y": 0.0, "m": loss(name, cutoff)}
        for name, cutoffs in cutoffs_by_series.items()
        for cutoff in cutoffs
    ]
    return pd.DataFrame(rows)


def test_curve_on_clocks_of_their_own_matches_series_by_their_last_cutoffs():
    frame = own_clocks({"s0": [10, 20, 30], "s1": [995, 1005]}, lambda name, cutoff: cutoff)
    curve = by_cutoff(frame, "m", METRICS["mase"], SCALE, shared_clock=False)
    assert curve.tolist() == pytest.approx([10, (20 + 995) / 2, (30 + 1005) / 2])


def test_a_cutoff_without_observed_values_does_not_shift_the_others_of_its_series():
    frame = own_clocks({"s0": [1, 2, 3], "s1": [1, 2, 3]}, lambda name, cutoff: float(cutoff))
    frame.loc[(frame["unique_id"] == "s0") & (frame["cutoff"] == 3), "y"] = np.nan
    curve = by_cutoff(frame, "m", METRICS["mase"], SCALE, shared_clock=False)
    assert curve.tolist() == pytest.approx([1, 2, 3])
