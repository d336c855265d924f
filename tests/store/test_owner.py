"""Whom a process calls dead: only one that it would see if it lived."""

import shutil
import subprocess
import sys

import pytest

from forecaster.store.owner import is_dead, owner

TOLD = "import sys; from forecaster.store.owner import is_dead, owner; print(owner(), *map(is_dead, sys.argv[1:]))"
APART = ["unshare", "--pid", "--fork", "--mount-proc"]
"""Runs a program as a container would: on the same host name, with a process table of its own."""


def told(*before: str, owners: tuple[str, ...] = ()) -> list[str]:
    """Another process: its own name, and whether it calls others dead."""
    return subprocess.check_output([*before, sys.executable, "-c", TOLD, *owners], text=True).split()


def test_a_process_that_has_ended_is_dead_and_one_that_lives_is_not():
    name, living = told(owners=(owner(),))
    assert living == "False" and is_dead(name) and not is_dead(owner())
    host, process, _, table = owner().split(":")
    assert is_dead(f"{host}:{process}:1:{table}"), "its number has been given to another one"


@pytest.mark.parametrize("table", ["", ":", ":0123456789ab"])
def test_who_is_of_another_table_or_of_an_older_release_is_not_called_dead(table):
    assert not is_dead(owner().rpartition(":")[0].rpartition(":")[0] + ":1" + table)


def test_containers_of_one_host_name_do_not_call_each_other_dead():
    if not shutil.which("unshare") or subprocess.run([*APART, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no PID namespace can be made here")
    ours = owner()
    theirs, living = told(*APART, owners=(ours,))
    assert theirs.split(":")[0] == ours.split(":")[0] and living == "False"
    assert not is_dead(theirs), "and ours cannot tell, though it is gone"
    unseen = told("unshare", "--pid", "--fork", owners=(ours,))  # with a /proc of others
    assert unseen[0].endswith(":") and unseen[1] == "False"
