import io

import pandas as pd
from rich.console import Console

from forecaster.cli.tables import leaderboard_table


def test_the_leaderboard_of_symbols_fits_into_80_columns_and_marks_the_published_network():
    row = {
        "model": "most_frequent", "kind": "network", "log_loss": 13.238, "accuracy": 0.247, "top_3": 0.38,
        "perplexity": 325.472, "bits": 14.671, "skill": -1.45, "seconds": 1405.0, "p": 0.0098, "validation": 11.262,
        "significant": True,
    }  # fmt: skip
    board = pd.DataFrame([{**row, "published": True}, {**row, "model": "last", "kind": "naive", "published": False}])
    screen = Console(width=80, file=io.StringIO())
    screen.print(leaderboard_table(board))
    printed = screen.file.getvalue()
    assert "★ most_frequent" in printed and "…" not in printed and "perpl." in printed
    assert "the best n-gram" in " ".join(printed.split())
