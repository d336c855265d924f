"""Who appears in the plots: each model's kind and its place among its kind give its colour and dash."""

import re
from collections import Counter
from dataclasses import dataclass

from forecaster.reporting.content import ReportContent

__all__ = ["DASHES", "Player", "cast", "default_pair", "interval_levels"]

DASHES = {
    "network": ("solid",),
    "naive": ("dash", "dot", "dashdot", "longdash", "longdashdot"),
    "rival": ("solid", "longdash", "dashdot"),
}
COLOURS = {"network": 8, "naive": 5, "rival": 3}

_INTERVAL = re.compile(r"^(?P<model>.+)-(?P<side>lo|hi)-(?P<level>\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class Player:
    """A model as it is drawn: `slot` counts within its kind, in the leaderboard's order."""

    name: str
    kind: str
    slot: int

    @property
    def colour(self) -> str:
        """Name of the colour in report.css, which has one value for light and one for dark."""
        return f"--{self.kind}-{self.slot % COLOURS[self.kind]}"

    @property
    def dash(self) -> str:
        """Plotly's name of the dash pattern: naive forecasts are never solid."""
        dashes = DASHES[self.kind]
        return dashes[self.slot % len(dashes)]

    @property
    def width(self) -> float:
        """Width of its line: networks stand out."""
        return 2.5 if self.kind == "network" else 1.5


def cast(content: ReportContent) -> list[Player]:
    """The models whose forecasts are given, in the leaderboard's order; unknown ones come last, as rivals."""
    columns = [str(column) for column in content.forecasts]
    if content.symbols:
        given = [c.removesuffix("-y-p") for c in columns if c.endswith("-y-p")]
    else:
        given = [c for c in columns if c not in ("unique_id", "ds", "cutoff", "y") and not _INTERVAL.match(c)]
    board = content.board
    kinds = dict(zip(board["model"], board["kind"].astype(str), strict=True))
    order = [name for name in kinds if name in given] + [name for name in given if name not in kinds]
    seen: Counter[str] = Counter()
    players = []
    for name in order:
        kind = kinds.get(name, "rival")
        players.append(Player(name, kind, seen[kind]))
        seen[kind] += 1
    return players


def interval_levels(content: ReportContent, model: str) -> list[str]:
    """The levels that a model gives both ends of, widest first: `["95", "80"]`."""
    columns = set(map(str, content.forecasts))
    found = [match for column in columns if (match := _INTERVAL.match(column)) and match["model"] == model]
    low = {match["level"] for match in found if match["side"] == "lo"}
    high = {match["level"] for match in found if match["side"] == "hi"}
    return sorted(low & high, key=float, reverse=True)


def default_pair(content: ReportContent) -> tuple[str | None, str | None]:
    """The model that is shown first, and what it is compared with.

    Returns:
        The published model, else the best network, else the best model; and the seasonal naive forecast,
        else the best naive one. None where there is no such forecast.
    """
    players = cast(content)
    board = content.board
    published = set(board.loc[board["published"], "model"]) if "published" in board else set()
    chosen = (
        [player.name for player in players if player.name in published]
        + [player.name for player in players if player.kind == "network"]
        + [player.name for player in players]
    )
    naive = [player.name for player in players if player.kind == "naive"]
    seasonal = [name for name in naive if re.sub(r"[^a-z]", "", name.lower()) in ("seasonalnaive", "snaive")]
    against = [name for name in seasonal + naive if name not in chosen[:1]]
    return chosen[0] if chosen else None, against[0] if against else None
