"""What the gates of a network of symbols do at each symbol: where it takes in, and where it forgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.networks.inspection import Trace

__all__ = ["GatesBySymbol", "gates_by_symbol"]

MOST_SYMBOLS = 12
FEWEST = 3
"""How often a symbol must have been read for its mean to say something."""
KEEPS = ("forget", "update")
"""Gates that say how much of the old state is kept, an LSTM's and a GRU's: shut, they forget."""


@dataclass(frozen=True)
class GatesBySymbol:
    """Gates of one layer, averaged over its units and over all steps at which a symbol was read.

    Attributes:
        symbols: Those that were read most often, in the order of the vocabulary.
        gates: Name -> mean at each of these symbols.
        keeper: The gate that says how much of the old state is kept; None where there is none.
        forgets: Place in `symbols` of the one at which least is kept.
        elsewhere: The mean of that gate at all other steps.
    """

    symbols: tuple[str, ...]
    gates: Mapping[str, np.ndarray]
    keeper: str | None = None
    forgets: int = 0
    elsewhere: float = float("nan")

    @property
    def words(self) -> str:
        """At which symbol it forgets, in a sentence; empty where there is no such gate."""
        if self.keeper is None:
            return ""
        least, elsewhere = f"{self.gates[self.keeper][self.forgets]:.2f}", f"{self.elsewhere:.2f}"
        if least == elsewhere:
            return f"The {self.keeper} gate keeps as much at all symbols: {least} in the mean"
        return (
            f"The {self.keeper} gate keeps least at {self.symbols[self.forgets]!r}: "
            f"{least} in the mean, {elsewhere} at other symbols"
        )


def gates_by_symbol(traces: Sequence[Trace], read: np.ndarray, vocabulary: Sequence[str]) -> dict[str, GatesBySymbol]:
    """Averages gates by the symbol that was read.

    Args:
        traces: Of some windows.
        read: The places in the vocabulary that these windows hold, NaN where missing; shape (windows, lookback).
        vocabulary: Names of the symbols.

    Returns:
        By layer; layers that have no gates, or do not take one step a symbol, are left out.
    """
    places = np.where(np.isfinite(read), read, -1).astype(int)
    counts = np.bincount(places[places >= 0], minlength=len(vocabulary))
    often = np.argsort(-counts, kind="stable")[:MOST_SYMBOLS]
    shown = np.sort(often[counts[often] >= FEWEST])
    layers = [trace for trace in traces if trace.gates and trace.steps == read.shape[1] and not trace.backwards]
    return {trace.layer: _of_layer(trace, places, shown, vocabulary) for trace in layers if len(shown)}


def _of_layer(trace: Trace, places: np.ndarray, shown: np.ndarray, vocabulary: Sequence[str]) -> GatesBySymbol:
    gates = {
        name: np.array([gate[places == place].mean() for place in shown], np.float64)
        for name, gate in trace.gates.items() if name != "candidate"
    }  # fmt: skip
    names = tuple(vocabulary[place] for place in shown)
    keeper = next((name for name in KEEPS if name in gates), None)
    if keeper is None or len(shown) < 2:
        return GatesBySymbol(names, gates)
    least = int(np.argmin(gates[keeper]))
    elsewhere = trace.gates[keeper][(places != shown[least]) & (places >= 0)].mean()
    return GatesBySymbol(names, gates, keeper, least, float(elsewhere))
