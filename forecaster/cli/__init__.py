"""The command line: what a user types, and what is printed."""

from forecaster.cli.app import main

__all__ = ["main"]
