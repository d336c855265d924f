"""Where output goes: results to standard output, progress, messages and logs to standard error."""

from __future__ import annotations

import logging
from pathlib import Path

from rich.console import Console

from forecaster.errors import ForecasterError

__all__ = ["console", "failure", "logging_to", "messages", "near"]

console = Console(highlight=False)
messages = Console(stderr=True, highlight=False)


def failure(text: str) -> None:
    """An error, as one message."""
    messages.print("[bold red]error[/] ", end="")
    messages.print(text, markup=False, soft_wrap=True)


def near(path: Path) -> Path:
    """The path as one would type it here: from the working directory, if it lies in there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def logging_to(verbose: bool, file: Path | None) -> None:
    """Sets up the package's log: warnings always, more with `-v`, everything in the file.

    Raises:
        ForecasterError: The file cannot be written.
    """
    logger = logging.getLogger("forecaster")
    logger.setLevel(logging.DEBUG)
    logger.handlers.clear()
    from rich.logging import RichHandler

    if not logging.root.handlers:  # or TensorFlow gives the root one that writes all of ours once more
        others = RichHandler(console=messages, show_path=False, level=logging.WARNING)
        others.addFilter(lambda record: not record.name.startswith(logger.name))
        logging.root.addHandler(others)
    shown = RichHandler(console=messages, show_path=False, level=logging.INFO if verbose else logging.WARNING)
    logger.addHandler(shown)
    if file is None:
        return
    try:
        written = logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        raise ForecasterError(f"--log-file {file}: cannot be written ({error.strerror}); name another file") from None
    written.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger.addHandler(written)
