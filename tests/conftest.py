"""What holds for all tests."""

import os

os.environ.setdefault(
    "TF_NUM_INTRAOP_THREADS", "1"
)  # the networks here are tiny, and pytest-xdist shares the cores out
