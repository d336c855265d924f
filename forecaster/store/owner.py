"""Who works on a run: host, process, its start and the process table that it is in, so as to tell whether it lives.

A host name says little about a machine: containers often share one, and each counts its processes from 1. So a process
is looked for only from where it would be seen: from the same boot of the same machine and the same PID namespace.
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

__all__ = ["is_dead", "owner"]


def owner() -> str:
    """This process, as `host:process:start:table`."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}:{_table()}"


def is_dead(name: str) -> bool:
    """Whether that process is certainly gone; False where it is not known to be seen from here, if it lives.

    >>> is_dead(owner())
    False
    """
    match name.split(":"):
        case [_, process, started, table] if started and table and table == _table():
            return _started(int(process)) != started
        case _:  # of another machine or container; or written by a release that told less
            return False


def _table() -> str:
    """A mark of this boot and PID namespace; empty where it is not known, or /proc shows another one's processes."""
    try:
        if str(Path("/proc/self").readlink()) != str(os.getpid()):
            return ""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:12]


def _started(process: int) -> str:
    """When a process began, in the kernel's ticks since the machine's start; empty where there is no such process."""
    try:
        return (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
        )
    except (OSError, IndexError):
        return ""
