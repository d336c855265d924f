import io

import pandas as pd
from rich.console import Console

from forecaster.cli.tables import apart_table, leaderboard_table, whole


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


def test_a_leaderboard_without_a_verdict_has_no_marks_to_explain():
    row = {"model": "chosen", "kind": "network", "mase": 0.9, "skill": 0.1, "published": False, "significant": False}
    screen = Console(width=80, file=io.StringIO())
    screen.print(leaderboard_table(pd.DataFrame([row])))
    printed = " ".join(screen.file.getvalue().split())
    assert "skill: against the best naive" in printed and "published" not in printed and "*" not in printed


def test_series_apart_fit_into_80_columns():
    row = {"kind": "as long as the lookback", "series": 1204, "forecasts": 33712, "metric": "smape"}
    scores = {"gru": 8.6123, "simple_rnn": 9.1, "custom_lstm": float("nan"), "seasonal_naive_336": 12.0}
    screen = Console(width=80, file=io.StringIO())
    screen.print(apart_table(pd.DataFrame([row | scores, row | scores | {"kind": "not in training", "series": 2}])))
    printed = screen.file.getvalue()
    assert "Series apart, by sMAPE" in printed and "…" not in printed
    assert "33,712" in printed and "8.61" in printed and "not in training" in printed


def test_a_leaderboard_is_printed_whole_where_the_screen_is_narrower():
    """Long names, and values as large and as small as there are."""
    row = {
        "kind": "network", "mase": 0.25, "smape": 3.76, "rmse": 545142163279479.0, "coverage-80": 0.79, "wql": 0.0158,
        "skill": 0.21, "seconds": 2.5, "p": 0.0001, "validation": 5.2e-11, "significant": True,
    }  # fmt: skip
    names = {"model": "a_network_with_a_long_name_of_its_own", "published": True}
    board = pd.DataFrame([row | names, row | {"model": "ridge", "published": False}])
    screen = Console(width=80, file=io.StringIO())
    whole(leaderboard_table(board), screen)
    printed = screen.file.getvalue()
    assert "…" not in printed and "★ a_network_with_a_long_name_of_its_own" in printed
    assert "5.451e+14" in printed and "5.200e-11" in printed and "<.001*" in printed
    assert all("0.250" in line for line in printed.splitlines() if "ridge" in line)
