"""Who works on a run: host, process and its start, so that the same host can tell whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

__all__ = ["is_dead", "owner"]


def owner() -> str:
    """This process, as `host:process:start`."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def is_dead(name: str) -> bool:
    """Whether that process is certainly gone; False where it lived on another host or cannot be asked about.

    >>> is_dead(owner())
    False
    """
    host, process, started = name.rsplit(":", 2)
    return host == socket.gethostname() and bool(started) and _started(int(process)) != started


def _started(process: int) -> str:
    """When a process began, in the kernel's ticks since the machine's start; empty where there is no such process."""
    try:
        return (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
        )
    except (OSError, IndexError):
        return ""
