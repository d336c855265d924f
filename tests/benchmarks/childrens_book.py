"""What networks of a children's book make up: well-formed sentences, and the two mistakes of those without memory.

    python tests/benchmarks/childrens_book.py [--sentences 1000] [--json]

Fits the models of `pipelines/childrens_book.yaml` as the pipeline does, and lets each say sentences by itself, each
from a full stop to the next. Counted are well-formed ones ("Doug saw Jane."), those in which somebody sees himself
("Doug saw Doug."), those that go on ("Jane saw Spot saw Doug."), and whatever else goes wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from forecaster.config import Project, read_pipeline
from forecaster.evaluation.symbols import roll_symbols, symbol_scores
from forecaster.forecasting.generation import Wish
from forecaster.forecasting.training import Control
from forecaster.pipeline.preparation import prepare
from forecaster.pipeline.symbols import symbol_network

ROOT = Path(__file__).parents[2]
NAMES = {"Doug", "Jane", "Spot"}
KINDS = ("well-formed", "sees himself", "goes on", "other")
LONGEST = 24


def main() -> int:
    """Prints a line a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    print(
        "log loss: of a word, on the held-out part; nobody can do better than (ln 3 + ln 2) / 4 = 0.448",
        file=sys.stderr,
    )
    definition = read_pipeline(ROOT / "pipelines" / "childrens_book.yaml")
    prepared = prepare(definition, Project(ROOT), ROOT)
    rows = {}
    for model in prepared.models:
        began = time.monotonic()
        network = symbol_network(definition, prepared, model, Control()).fit(prepared.fitting)
        made = network.generate(["."], Wish(length=LONGEST, samples=told.sentences, until=".", seed=definition.seed))
        counts = Counter(kind_of(one.symbols) for one in made)
        seconds = round(time.monotonic() - began)
        held_out = symbol_scores(roll_symbols(network, prepared.panel, prepared.test), network.name)
        told_of = {"log loss": round(held_out["log_loss"], 4), "seconds": seconds}
        rows[network.name] = {kind: counts[kind] for kind in KINDS} | told_of
    if told.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"| of {told.sentences} sentences | " + " | ".join([*KINDS, "log loss", "seconds"]) + " |")
    print("|---" * (len(KINDS) + 3) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(str(value) for value in row.values()) + " |")
    return 0


def kind_of(symbols: Sequence[str]) -> str:
    """Which kind of sentence it is; a name as the subject and, behind each "saw", as the object."""
    *words, end = symbols
    names, verbs = words[::2], words[1::2]
    regular = end == "." and len(words) % 2 == 1 and set(names) <= NAMES and set(verbs) == {"saw"}
    if not regular:
        return "other"
    if len(verbs) > 1:
        return "goes on"
    return "sees himself" if names[0] == names[1] else "well-formed"


if __name__ == "__main__":
    sys.exit(main())
