"""What came of a retraining, for the ledger and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Outcome", "RetrainResult"]

Outcome = Literal["promoted", "kept", "up to date", "not enough new data"]


@dataclass(frozen=True)
class RetrainResult:
    """The end of a retraining.

    Attributes:
        outcome: `promoted`, `kept`, `up to date` or `not enough new data`.
        reason: Why, in a sentence.
        version: The number under which the challenger was published; None where it was not.
        p: The p-value that decided, corrected by Holm; None where nothing was compared.
        scores: `champion` (the number of the version that was challenged; None if there was none) and, where something
            was fitted, `test` (the leaderboard of the test part), `metric`, `comparisons` (rival by rival) and
            `challenger` (the number under which one that lost is kept).
        data_hash: SHA-256 of the data as they were read.
        seconds: That it took.
        drift: See `lifecycle.drift.drift_of`; empty without a champion or without new data.
    """

    outcome: Outcome
    reason: str
    version: int | None
    p: float | None
    scores: dict[str, Any]
    data_hash: str
    seconds: float
    drift: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """One JSON object; numbers that are not finite are null."""
        return json.dumps(_plain(asdict(self)), indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
