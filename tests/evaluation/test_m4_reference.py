"""The baselines and the scorer against the M4 competition's own figures and forecasts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "m4_reference.py"
FOLDER = os.environ.get("FORECASTER_BENCHMARKS")


@pytest.mark.skipif(not FOLDER, reason="FORECASTER_BENCHMARKS does not name the folder with m4/ and reference/")
def test_baselines_and_scores_are_those_that_m4_published():
    done = subprocess.run([sys.executable, PROGRAM, "--data", FOLDER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all agree" in done.stdout
