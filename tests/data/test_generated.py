"""The generated sequences are what their script writes."""

import subprocess
import sys
from pathlib import Path

GENERATED = Path(__file__).resolve().parents[2] / "data" / "generated"


def test_the_files_are_what_is_generated():
    command = [sys.executable, str(GENERATED / "generate.py"), "--check"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
