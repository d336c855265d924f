"""A PostgreSQL server of Debian's package on 127.0.0.1, in a temporary folder, under an unprivileged user."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """Yields the URL of an empty database."""
    pytest.importorskip("psycopg", reason="psycopg is not installed (pip install 'forecaster[postgres]')")
    if not PROGRAMS or not (PROGRAMS[-1] / "initdb").exists():
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    user = "postgres" if os.geteuid() == 0 else None
    folder = tempfile.mkdtemp(prefix="forecaster-pg-", dir="/tmp")
    if user:
        shutil.chown(folder, user)
    port = free_port()
    initdb = [
        PROGRAMS[-1] / "initdb",
        "-D",
        f"{folder}/data",
        "-U",
        "forecaster",
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run(initdb, user=user, check=True, capture_output=True, cwd=folder)
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
    said = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
    command = [PROGRAMS[-1] / "postgres", "-D", f"{folder}/data", *said]
    with subprocess.Popen(command, user=user, stderr=subprocess.DEVNULL, cwd=folder) as server:
        try:
            _wait(server, port)
            yield f"postgresql://forecaster@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    import psycopg

    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="forecaster", dbname="postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, "the server ended"
            time.sleep(0.05)
        else:
            return
