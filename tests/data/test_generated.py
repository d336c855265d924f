"""The generated sequences are what their script writes."""

import csv
import re
import subprocess
import sys
from pathlib import Path

GENERATED = Path(__file__).resolve().parents[2] / "data" / "generated"


def test_the_files_are_what_is_generated():
    command = [sys.executable, str(GENERATED / "generate.py"), "--check"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


def test_what_was_eaten_last_does_not_tell_whose_turn_it_is_but_all_that_was_eaten_does():
    with (GENERATED / "dinners.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    turn, dishes, behind_pizza = 0, ("pizza", "sushi", "waffles"), set()
    for before, row in zip([None, *rows], rows, strict=False):
        plain = row["late"] == row["holiday"] == "0"
        turn += row["late"] == "0"
        if row["dinner"]:
            assert row["dinner"] == dishes[turn % 3] or not plain
            assert row["dinner"] in ("leftovers", "pizza") or row["late"] == "0"
        if plain and before and before["dinner"] == "pizza":
            behind_pizza.add(row["dinner"])
    assert behind_pizza >= set(dishes)


def test_nobody_in_the_book_sees_himself():
    lines = (GENERATED / "childrens_book.txt").read_text(encoding="utf-8").splitlines()
    sentences = [re.fullmatch(r"(Doug|Jane|Spot) saw (Doug|Jane|Spot)\.", line).groups() for line in lines]
    assert len(set(sentences)) == 6  # whoever may be seen is seen
    assert all(first != second for first, second in sentences)
