"""Writes the generated sequences of symbols in this folder; `--check` writes nothing and exits with 1 on a difference.

    python data/generated/generate.py [--check]

Nothing but Python is needed, and every run gives the same bytes.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
DISHES = ("pizza", "sushi", "waffles")
FIRST, DAYS, AHEAD = date(2021, 1, 1), 1095, 7
MISSING = range(DAYS - 35, DAYS - 21)
"""Two weeks in which nobody wrote the dinner down."""
NAMES = ("Doug", "Jane", "Spot")
SENTENCES = 4000
LEFTOVERS = 0.7
"""How likely they are on a late evening; a pizza is ordered else."""


def dinners() -> Iterator[Sequence[str]]:
    """(ds, dinner, weekday, late, holiday), a row a day.

    Dishes come in turn. Who comes home late eats leftovers, or orders a pizza, and the turn waits. On a holiday guests
    choose a dish, and the one whose turn it was is passed over. So what was eaten last does not tell whose turn it is.
    """
    chance = random.Random(7)
    turn = 0
    yield "ds", "dinner", "weekday", "late", "holiday"
    for day in range(DAYS + AHEAD):
        today = FIRST + timedelta(day)
        late = chance.random() < (0.35 if today.weekday() in (1, 3) else 0.1)
        holiday = chance.random() < 0.08
        if late:
            dinner = "leftovers" if chance.random() < LEFTOVERS else "pizza"
        else:
            turn = (turn + 1) % 3
            dinner = chance.choice(DISHES) if holiday else DISHES[turn]
        known = day < DAYS and day not in MISSING
        yield today.isoformat(), dinner if known else "", today.strftime("%A"), str(int(late)), str(int(holiday))


def book() -> Iterator[Sequence[str]]:
    """A children's book of five words, a sentence a line: "X saw Y." with X and Y different."""
    chance = random.Random(5)
    for _ in range(SENTENCES):
        first, second = chance.sample(NAMES, 2)
        yield (f"{first} saw {second}.",)


FILES = {"dinners.csv": dinners, "childrens_book.txt": book}


def main(arguments: Sequence[str]) -> int:
    """Writes or checks; returns the exit code."""
    wrong = 0
    for name, rows in FILES.items():
        content = "".join(",".join(row) + "\n" for row in rows()).encode()
        path = HERE / name
        if "--check" not in arguments:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            print(f"{name}: differs from what is generated")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
