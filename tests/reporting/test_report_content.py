"""The door of the room: what is refused, and with which words."""

import subprocess
import sys

import pandas as pd
import pytest

from forecaster.errors import DataError


def test_missing_column_is_named_with_those_found(make):
    frame = pd.DataFrame({"unique_id": ["a"], "ds": [1]})
    with pytest.raises(DataError, match=r"history.*'y'.*unique_id, ds"):
        make(history=frame)


def test_curve_without_validation_column_is_named(make):
    with pytest.raises(DataError, match=r"curves\['lstm'\].*'validation'"):
        make(curves={"lstm": pd.DataFrame({"step": [1], "training": [0.5]})})


def test_unknown_kind_is_refused_with_the_known_ones(make):
    board = pd.DataFrame({"model": ["lstm"], "kind": ["neural"]})
    with pytest.raises(DataError, match=r"'neural'.*network, naive, rival"):
        make(leaderboard=board)


def test_models_may_be_the_index_of_the_leaderboard(make):
    content = make()
    indexed = make(leaderboard=content.leaderboard.set_index("model"))
    assert indexed.board["model"].tolist() == content.leaderboard["model"].tolist()


def test_plotly_is_imported_only_when_a_report_is_drawn():
    program = "import sys, forecaster.reporting; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
