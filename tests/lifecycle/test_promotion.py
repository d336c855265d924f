"""The promotion rule, held against Student's t by another implementation and against its own level."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from forecaster.config import PromoteDefinition
from forecaster.lifecycle.promotion import decide, rivals_of
from tests.lifecycle.nights import rate


def losses(seed=0, cutoffs=20, **means):
    generator = np.random.default_rng(seed)
    return pd.DataFrame({name: mean + generator.normal(0, 0.1, cutoffs) for name, mean in means.items()})


def test_the_p_values_are_those_of_the_paired_t_test_corrected_by_holm():
    """Without overlap the corrected Diebold-Mariano test is the one-sided paired t-test."""
    field = losses(gru=1.0, naive=1.05, seasonal_naive=1.3)
    duel = losses(1, gru=1.0, champion=1.06)
    decision = decide("gru", field, duel, PromoteDefinition())
    single = [
        ttest_rel(duel["gru"], duel["champion"], alternative="less").pvalue,
        ttest_rel(field["gru"], field["naive"], alternative="less").pvalue,
        ttest_rel(field["gru"], field["seasonal_naive"], alternative="less").pvalue,
    ]
    assert [one.p for one in decision.comparisons] == pytest.approx(single)
    first, second, third = sorted(single)
    assert decision.p == pytest.approx(max(3 * first, 2 * second, third))


@pytest.mark.parametrize(
    ("champion", "naive", "outcome", "fragment"),
    [
        (1.3, 1.5, "promoted", "significantly better (MASE) than champion"),
        (1.02, 1.5, "kept", "than champion"),
        (0.8, 1.5, "kept", "not better than champion"),
        (1.3, 1.0, "kept", "than naive"),
    ],
)
def test_everything_must_be_beaten(champion, naive, outcome, fragment):
    field = losses(gru=1.0, naive=naive)
    decision = decide("gru", field, losses(2, gru=1.0, champion=champion), PromoteDefinition())
    assert decision.outcome == outcome
    assert fragment in decision.reason


def test_without_any_loss_nothing_is_compared():
    none = losses(gru=1.0, naive=2.0, champion=2.0).iloc[:0]
    decision = decide("gru", none, none, PromoteDefinition())
    assert (decision.outcome, decision.comparisons) == ("kept", ())
    assert decision.reason.startswith("MASE cannot be computed for any series") and "`check`" in decision.reason


def test_a_level_that_a_worse_one_may_pass_is_not_called_better():
    promote = PromoteDefinition(significance=0.99, beat=["champion"])
    decision = decide("gru", losses(gru=1.0), losses(2, gru=1.01, champion=1.0), promote)
    assert decision.outcome == "promoted" and "better" not in decision.reason
    assert decision.reason.startswith("gru passes at a level of 0.99 (MASE) against champion (p = ")


def test_too_few_new_cutoffs_decide_nothing_and_say_how_many_there_are():
    field, promote = losses(gru=1.0, naive=5.0), PromoteDefinition(min_windows=14)
    decision = decide("gru", field, losses(2, cutoffs=13, gru=1.0, champion=5.0), promote)
    assert (decision.outcome, decision.p) == ("not enough new data", None)
    assert "only 13 forecast origins" in decision.reason and "14" in decision.reason
    assert decide("gru", field, losses(2, cutoffs=14, gru=1.0, champion=5.0), promote).outcome == "promoted"


def test_without_a_champion_the_baselines_alone_are_compared():
    decision = decide("gru", losses(gru=1.0, naive=2.0, drift=0.1), None, PromoteDefinition())
    assert decision.outcome == "promoted"
    assert [one.rival for one in decision.comparisons] == ["naive"], "drift is not among what must be beaten"


def test_a_champion_that_need_not_be_beaten_is_not_met():
    promote = PromoteDefinition(beat=["naive"])
    duel = losses(2, cutoffs=1, gru=1.0, champion=0.1)
    assert decide("gru", losses(gru=1.0, naive=2.0), duel, promote).outcome == "promoted"


@pytest.mark.parametrize(("who", "outcome"), [("gru", "kept"), ("champion", "promoted")])
def test_who_cannot_forecast_everywhere_loses(who, outcome):
    duel = losses(2, gru=1.0, champion=1.0)
    duel.loc[3, who] = np.nan
    assert decide("gru", losses(gru=1.0, naive=2.0), duel, PromoteDefinition()).outcome == outcome


def test_every_season_of_the_seasonal_naive_forecast_must_be_beaten():
    models = ["gru", "seasonal_naive_x", "seasonal_naive_336", "drift", "seasonal_naive"]
    assert rivals_of(PromoteDefinition(), models) == ["seasonal_naive_336", "seasonal_naive"]


def test_500_nights_without_a_better_challenger_promote_no_more_often_than_the_level():
    """Up to three standard errors; at the edge of the level, where champion and challenger are equally good."""
    assert rate(nights=500, gain=0.0, seed=1) <= 0.05 + 3 * (0.05 * 0.95 / 500) ** 0.5


def test_a_much_better_challenger_is_mostly_promoted():
    assert rate(nights=100, gain=0.3, seed=2) > 0.8
