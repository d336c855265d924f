"""Counts of what follows what: n-grams with back-off by interpolation.

With c(h, s) how often symbol s followed the context h, c(h) their sum, T(h) how many different symbols followed, and h′
the context without its oldest symbol (Witten and Bell 1991)::

    p(s | h) = (c(h, s) + T(h) · p(s | h′)) / (c(h) + T(h))

A context that was never seen says what its shorter one says; the empty context backs off to all symbols alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["NGrams"]

MOST_CONTEXTS = 256
"""Contexts that are followed side by side; the least likely others are left out."""
Context = tuple[int, ...]


@dataclass
class NGrams:
    """Counts up to an order.

    Args:
        order: 1: frequencies; 2: what follows one symbol; n: what follows n − 1.
        size: Symbols, the unknown one (place 0) counted.
        novelty: Chance of the unknown symbol.

    Example:
        >>> grams = NGrams(2, size=3, novelty=0.1)
        >>> grams.count([1, 2, 1, 2, 1])
        >>> [round(float(p), 3) for p in grams.after((1,))]    # of unknown, 1 and 2
        [0.1, 0.171, 0.729]
    """

    order: int
    size: int
    novelty: float
    counts: dict[Context, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, places: Sequence[int]) -> None:
        """Counts an unbroken run of symbols; unknown ones are in no n-gram that is forecast."""
        for end, symbol in enumerate(places):
            if symbol == 0:
                continue
            for length in range(min(self.order - 1, end) + 1):
                self.counts[tuple(places[end - length : end])][symbol] += 1

    def after(self, context: Context) -> np.ndarray:
        """Probabilities of all symbols behind a context, the oldest first; shape (symbols,)."""
        told = np.full(self.size, 1 / (self.size - 1))
        told[0] = 0.0
        longest = min(self.order - 1, len(context))
        for length in range(longest + 1):
            followers = self.counts.get(context[len(context) - length :])
            if followers is None:
                break
            total, kinds = sum(followers.values()), len(followers)
            told = told * kinds / (total + kinds)
            told[list(followers)] += np.fromiter(followers.values(), float) / (total + kinds)
        told = told * (1 - self.novelty)
        told[0] = self.novelty
        return told

    def ahead(self, context: Context, horizon: int) -> np.ndarray:
        """Probabilities at each of the next steps, over all ways there; shape (horizon, symbols)."""
        keep = self.order - 1
        states: dict[Context, float] = {context[len(context) - keep :] if keep else (): 1.0}
        told = []
        for _ in range(horizon):
            following: dict[Context, float] = defaultdict(float)
            here = np.zeros(self.size)
            for history, weight in states.items():
                chances = weight * self.after(history)
                here += chances
                for symbol in np.flatnonzero(chances > 0):
                    grown = (*history, int(symbol))
                    following[grown[len(grown) - keep :] if keep else ()] += float(chances[symbol])
            told.append(here)
            likeliest = sorted(following.items(), key=lambda one: -one[1])[:MOST_CONTEXTS]
            kept = sum(weight for _, weight in likeliest)
            states = {history: weight / kept for history, weight in likeliest}
        return np.stack(told)

    def surprise(self, places: Sequence[int]) -> float:
        """Sum of −log p over an unbroken run of symbols, each given those before it; in nats."""
        back = self.order - 1
        chances = [
            self.after(tuple(places[max(end - back, 0) : end]))[symbol] for end, symbol in enumerate(places) if symbol
        ]
        return float(-np.sum(np.log(chances)))
