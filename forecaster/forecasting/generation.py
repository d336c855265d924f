"""Sequences of symbols that a network makes up: samples with temperature, and the likeliest one by beam search.

A `Chain` reads one symbol and says how likely each is to come next; everything here is built from that one step. The
unknown symbol (place 0) is never said.

Sampling with temperature T draws from ``p(k)^(1/T) / Σ p(j)^(1/T)``: below 1 likely symbols become likelier, at 0 only
the likeliest is left. Beam search (Lowerre 1976) keeps the `beam` likeliest beginnings, by the product of their
probabilities; with one it is greedy: always the likeliest next symbol, which need not lead to the likeliest sequence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecaster.errors import DataError

__all__ = ["Chain", "Generated", "Wish", "generate"]

State = Mapping[str, np.ndarray]
USUAL = 200
"""Symbols that are made up where nothing is said."""
MISSING = -1


class Chain(Protocol):
    """Goes from symbol to symbol.

    Attributes:
        vocabulary: The symbols, the unknown one first.
        memory: So many symbols of a beginning, the last ones, are read.
    """

    @property
    def vocabulary(self) -> Sequence[str]:
        """See the class."""

    @property
    def memory(self) -> int:
        """See the class."""

    def zeros(self) -> State:
        """The state before the first symbol; arrays of shape (1, width)."""

    def step(self, places: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Reads a symbol each; returns probabilities of the next one, (batch, symbols), and the state behind it.

        A place of -1 stands for a missing symbol, in whose place the chain reads the one that it expected.
        """


@dataclass(frozen=True)
class Wish:
    """What is to be made up.

    Args:
        length: Symbols at most; None for 200, or for as many as the known covariates reach to.
        samples: How many sequences are drawn; without effect on a beam search.
        temperature: Of the draws; 0 always takes the likeliest.
        beam: Beginnings that a search for the likeliest sequence keeps; None draws samples.
        until: A symbol behind which a sequence ends.
        seed: Of the draws. Each sample has its own, made from this one and its number.

    Raises:
        DataError: A number is out of its range.
    """

    length: int | None = None
    samples: int = 1
    temperature: float = 1.0
    beam: int | None = None
    until: str | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("length", "samples", "beam"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise DataError(f"{name} is {value}; write 1 or more")
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise DataError(f"temperature is {self.temperature}; write 0 (always the likeliest), 1, or what is between")

    @property
    def steps(self) -> int:
        """Symbols at most."""
        return self.length or USUAL


@dataclass(frozen=True)
class Generated:
    """A sequence that was made up.

    Attributes:
        symbols: Behind the beginning.
        log_probability: Of them all, given the beginning, in nats and at temperature 1.
    """

    symbols: tuple[str, ...]
    log_probability: float


def generate(chain: Chain, begin: Sequence[str | None], wish: Wish) -> list[Generated]:
    """Goes on from a beginning.

    Args:
        chain: What is likely to follow.
        begin: The first symbols; one that the chain does not know is the unknown symbol, and None a missing one.
        wish: What is to be made up.

    Returns:
        The samples in the order of their numbers; or what the beam holds in the end, the likeliest first.

    Raises:
        DataError: There is no beginning, or `until` is no symbol that the chain knows.
    """
    if not begin:
        raise DataError("there is nothing to begin with; write one symbol at least")
    known: dict[str | None, int] = {name: place for place, name in enumerate(chain.vocabulary)}
    known[None] = MISSING
    if wish.until is not None and known.get(wish.until, 0) == 0:
        raise DataError(f"until: {wish.until!r} is no symbol of the training part, so nothing would end there")
    state = chain.zeros()
    for name in begin[-chain.memory :]:
        told, state = chain.step(np.array([known.get(name, 0)]), state)
    end = known[wish.until] if wish.until is not None else -1
    found = _samples(chain, told, state, wish, end) if wish.beam is None else _beam(chain, told, state, wish, end)
    return [Generated(tuple(chain.vocabulary[place] for place in places), log) for places, log in found]


def _samples(chain: Chain, told: np.ndarray, state: State, wish: Wish, end: int) -> list[tuple[list[int], float]]:
    count = wish.samples
    chances = np.stack([np.random.default_rng([wish.seed, number]).random(wish.steps) for number in range(count)])
    told, state = np.repeat(told, count, axis=0), {name: np.repeat(part, count, axis=0) for name, part in state.items()}
    made: list[list[int]] = [[] for _ in range(count)]
    logs, going = np.zeros(count), np.ones(count, bool)
    for step in range(wish.steps):
        logarithms = _known(told)
        places = _drawn(logarithms, wish.temperature, chances[:, step])
        for row in np.flatnonzero(going):
            made[row].append(int(places[row]))
            logs[row] += logarithms[row, places[row]]
        going &= places != end
        if not going.any() or step == wish.steps - 1:
            break
        told, state = chain.step(places, state)
    return [(places, float(log)) for places, log in zip(made, logs, strict=True)]


def _drawn(logarithms: np.ndarray, temperature: float, chance: np.ndarray) -> np.ndarray:
    """A place for each row, by the inverse of the cumulated probabilities."""
    if temperature == 0:
        return np.asarray(logarithms.argmax(axis=1))
    weights = np.exp((logarithms - logarithms.max(axis=1, keepdims=True)) / temperature)
    upto = np.cumsum(weights, axis=1)
    passed = (upto <= chance[:, None] * upto[:, -1:]).sum(axis=1)
    return np.asarray(np.minimum(passed, logarithms.shape[1] - 1))


def _beam(chain: Chain, told: np.ndarray, state: State, wish: Wish, end: int) -> list[tuple[list[int], float]]:
    width = wish.beam or 1
    made: list[list[int]] = [[]]
    ended: list[tuple[list[int], float]] = []
    logs = np.zeros(1)
    for step in range(wish.steps):
        total = logs[:, None] + _known(told)
        order = np.argsort(-total, axis=None, kind="stable")[: 2 * width]
        rows, places = np.unravel_index(order[np.isfinite(total.reshape(-1)[order])], total.shape)
        values = total[rows, places]
        ended += [
            ([*made[row], end], float(value))
            for row, place, value in zip(rows[:width], places[:width], values[:width], strict=True)
            if place == end
        ]
        kept = np.flatnonzero(places != end)[:width]
        made, logs = [[*made[rows[one]], int(places[one])] for one in kept], values[kept]
        surpassed = len(ended) >= width and sorted(log for _, log in ended)[-width] >= logs.max(initial=-np.inf)
        if surpassed or not len(kept) or step == wish.steps - 1:
            break
        told, state = chain.step(places[kept], {name: part[rows[kept]] for name, part in state.items()})
    found = [*ended, *zip(made, (float(log) for log in logs), strict=True)]
    return sorted(found, key=lambda one: -one[1])[:width]


def _known(told: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities of known symbols among themselves; that of the unknown one is minus infinity."""
    with np.errstate(divide="ignore"):
        logarithms = np.log(told.astype(np.float64))
    logarithms[:, 0] = -np.inf
    scaled: np.ndarray = logarithms - np.logaddexp.reduce(logarithms, axis=1, keepdims=True)
    return scaled
