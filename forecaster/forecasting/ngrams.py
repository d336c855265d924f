"""Counts of what follows what: n-grams with back-off by interpolation.

With c(h, s) how often symbol s followed the context h, c(h) their sum, T(h) how many different symbols followed, and h′
the context without its oldest symbol (Witten and Bell 1991)::

    p(s | h) = (c(h, s) + T(h) · p(s | h′)) / (c(h) + T(h))

A context that was never seen says what its shorter one says; the empty context backs off to all symbols alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["NGrams"]

MOST_CONTEXTS = 256
"""Contexts that are followed side by side; the least likely others are left out."""
Context = tuple[int, ...]


@dataclass(frozen=True)
class _Level:
    """What followed the contexts of one length.

    Attributes:
        keys: Sorted: number of the context without its oldest symbol × symbols + its oldest symbol; shape (contexts,).
            The place of a context here is its number.
        totals: c(h), shape (contexts,).
        kinds: T(h), shape (contexts,).
        borders: Where the followers of each context begin and end, shape (contexts + 1,).
        followers: Symbols, those of a context in order; shape (followers,).
        counts: c(h, s), shape (followers,).
    """

    keys: np.ndarray
    totals: np.ndarray
    kinds: np.ndarray
    borders: np.ndarray
    followers: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, contexts: np.ndarray, symbols: np.ndarray, size: int) -> _Level:
        """Counts pairs of a context's key and the symbol that followed."""
        keys, numbers = np.unique(contexts, return_inverse=True)
        pairs, counts = np.unique(numbers * size + symbols, return_counts=True)
        owners = pairs // size
        borders = np.searchsorted(owners, np.arange(len(keys) + 1))
        return cls(keys, np.bincount(owners, counts), np.diff(borders), borders, pairs % size, counts)

    def find(self, contexts: np.ndarray) -> np.ndarray:
        """Numbers of contexts, -1 where one was never seen."""
        places = np.searchsorted(self.keys, contexts)
        found = self.keys[np.minimum(places, len(self.keys) - 1)] == contexts
        return np.where(found, places, -1)

    def count(self, contexts: np.ndarray, symbols: np.ndarray, size: int) -> np.ndarray:
        """c(h, s) of pairs of a context's number and a symbol."""
        pairs = np.repeat(np.arange(len(self.keys)), self.kinds) * size + self.followers
        wanted = contexts * size + symbols
        places = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        return np.where(pairs[places] == wanted, self.counts[places], 0)


@dataclass(frozen=True)
class NGrams:
    """Counts up to an order.

    Args:
        order: 1: frequencies; 2: what follows one symbol; n: what follows n − 1.
        size: Symbols, the unknown one (place 0) counted.
        novelty: Chance of the unknown symbol.
        levels: Of contexts of no symbol, one, …, order − 1.

    Example:
        >>> grams = NGrams.of([[1, 2, 1, 2, 1]], 2, size=3, novelty=0.1)
        >>> [round(float(p), 3) for p in grams.after((1,))]    # of unknown, 1 and 2
        [0.1, 0.171, 0.729]
    """

    order: int
    size: int
    novelty: float
    levels: tuple[_Level, ...] = ()

    @classmethod
    def of(cls, runs: Sequence[Sequence[int]], order: int, size: int, novelty: float) -> NGrams:
        """Counts unbroken runs of symbols; unknown ones are in no n-gram that is forecast."""
        places = np.concatenate([np.asarray(run, np.int64) for run in runs])
        room = np.concatenate([np.arange(len(run)) for run in runs])
        ends = np.flatnonzero(places > 0)
        contexts = np.zeros(len(ends), np.int64)
        levels: list[_Level] = []
        for length in range(order):
            if length:
                enough = room[ends] >= length
                ends, contexts = ends[enough], contexts[enough]
                contexts = levels[-1].find(contexts) * size + places[ends - length]
            if not len(ends):
                break
            levels.append(_Level.of(contexts, places[ends], size))
        return cls(order, size, novelty, tuple(levels))

    def after(self, context: Context) -> np.ndarray:
        """Probabilities of all symbols behind a context, the oldest first; shape (symbols,)."""
        told: np.ndarray = self.following(np.asarray(context, np.int64), np.array([len(context)]))[0]
        return told

    def following(self, places: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Probabilities of all symbols at places of an unbroken run, each given what is before it.

        Args:
            places: The run.
            ends: Places in it, up to its length.

        Returns:
            Shape (ends, symbols).
        """
        told = np.full((len(ends), self.size), 1 / (self.size - 1))
        told[:, 0] = 0.0
        for level, rows, contexts in self._contexts(places, ends):
            kinds = level.kinds[contexts]
            scale = level.totals[contexts] + kinds
            told[rows] *= (kinds / scale)[:, None]
            owners = np.repeat(np.arange(len(rows)), kinds)
            within = np.arange(len(owners)) - np.repeat(np.cumsum(kinds) - kinds, kinds)
            found = np.repeat(level.borders[contexts], kinds) + within
            told[rows[owners], level.followers[found]] += level.counts[found] / scale[owners]
        told *= 1 - self.novelty
        told[:, 0] = self.novelty
        return told

    def _contexts(self, places: np.ndarray, ends: np.ndarray) -> list[tuple[_Level, np.ndarray, np.ndarray]]:
        """For each level: which ends have a context that was seen, and its number."""
        rows, contexts = np.arange(len(ends)), np.zeros(len(ends), np.int64)
        found = []
        for length, level in enumerate(self.levels):
            if length:
                enough = ends[rows] >= length
                rows = rows[enough]
                contexts = contexts[enough] * self.size + places[ends[rows] - length]
            numbers = level.find(contexts)
            rows, contexts = rows[numbers >= 0], numbers[numbers >= 0]
            found.append((level, rows, contexts))
        return found

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

    def surprises(self, places: Sequence[int]) -> np.ndarray:
        """Sum of −log p over an unbroken run of symbols, each given those before it, in nats.

        Returns:
            That of each order up to this one; shape (levels,). Unknown symbols do not count.
        """
        run = np.asarray(places, np.int64)
        ends = np.flatnonzero(run > 0)
        told = np.full(len(ends), 1 / (self.size - 1))
        sums = []
        for level, rows, contexts in self._contexts(run, ends):
            kinds = level.kinds[contexts]
            counts = level.count(contexts, run[ends[rows]], self.size)
            told[rows] = (counts + kinds * told[rows]) / (level.totals[contexts] + kinds)
            sums.append(-float(np.log(told * (1 - self.novelty)).sum()))
        return np.asarray(sums)
