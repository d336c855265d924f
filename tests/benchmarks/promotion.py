"""How often the promotion rule promotes: nights of retraining, made up, through the rule that `retrain` applies.

    python tests/benchmarks/promotion.py [--nights 500]

Two designs. In the first every night is a world of its own: champion and challenger meet on a fresh test part, so the
share of promotions under equal quality is the rule's level. In the second one history goes on: the test part moves on
by one cutoff a night, the challenger is a new network each night, and who was promoted is the champion of the nights
to come. There the nights hang together, and a champion that was promoted by luck looks good on the cutoffs on which it
was lucky for as long as these are in the test part.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from forecaster.config import PromoteDefinition
from forecaster.lifecycle.promotion import decide
from tests.lifecycle.nights import rate


def history(nights, gain, seed, windows=28, spread=0.25, own=0.15):
    """One long history: the share of nights with a promotion, and how much the champion's expected loss fell in all.

    Each night's challenger is better than the first champion by `gain` in expectation, never better than that.
    """
    generator = np.random.default_rng(seed)
    promote = PromoteDefinition()
    days = generator.normal(0, spread, nights + windows)

    def course(mean):
        return mean * np.exp(days + generator.normal(0, own, len(days)) - own**2 / 2)

    naive, champion, quality = course(1.5), course(1.0), 1.0
    promoted = 0
    for night in range(nights):
        seen = slice(night, night + windows)
        challenger = course(1 - gain)
        field = pd.DataFrame({"challenger": challenger[seen], "naive": naive[seen]})
        duel = pd.DataFrame({"challenger": challenger[seen], "champion": champion[seen]})
        if decide("challenger", field, duel, promote).outcome == "promoted":
            promoted, champion, quality = promoted + 1, challenger, 1 - gain
    return promoted / nights, quality


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nights", type=int, default=500)
    nights = parser.parse_args().nights
    print(f"Share of promotions in {nights} nights, 28 forecast origins each, level 5%")
    print(f"{'design':<58}{'no better':>10}{'5% better':>10}{'10% better':>11}{'20% better':>11}")
    designs = {
        "worlds of their own": {},
        "worlds of their own, forecasts overlap threefold": {"overlap": 3},
        "worlds of their own, 14 forecast origins": {"windows": 14},
        "worlds of their own, networks differ more (own 0.3)": {"own": 0.3},
    }
    for name, options in designs.items():
        rates = [rate(nights, gain, 7, **options) for gain in (0.0, 0.05, 0.1, 0.2)]
        print(f"{name:<58}" + "".join(f"{one:>10.1%} " for one in rates))
    histories = [history(nights, 0.0, seed)[0] for seed in range(10)]
    print(f"{'one history, a new challenger a night, mean of 10':<58}{np.mean(histories):>10.1%}")
    better = [history(28, 0.1, seed)[1] < 1 for seed in range(50)]
    print(f"one history of 28 nights, each challenger 10% better: replaced in {np.mean(better):.0%} of 50")


if __name__ == "__main__":
    main()
