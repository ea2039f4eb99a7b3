# SPDX-License-Identifier: Apache-2.0
"""Rights of restored processes, compared with the policy's."""

import re

import pytest

from novadocker.errors import CheckpointError
from novadocker.policy import Rights
from novadocker.policy.capabilities import GRANTABLE, ORDINARY
from novadocker.virt.docker.checkpoint import verification
from novadocker.virt.docker.checkpoint.record import Record

RECORD = Record("c1", "2026", "0 100000 65536", "0 100000 65536", 1)
NET_BIND = 1 << 10
SOUND = {
    "pid": "77",
    "NoNewPrivs": "1",
    "Seccomp": "2",
    "CapBnd": f"{NET_BIND:x}",
    "CapPrm": f"{NET_BIND:x}",
    "CapEff": "0",
    "CapInh": "0",
    "CapAmb": "0",
    "uid_map": "0 100000 65536",
    "gid_map": "0 100000 65536",
    "user": "4026532000",
}
HOST = "4026531837"


def rights(**changes: object) -> Rights:
    """Return rights of a server that may bind ports."""
    wanted = {"capabilities": ("NET_BIND_SERVICE",), "no_new_privileges": True}
    return Rights(**(wanted | changes))  # type: ignore[arg-type]


def test_a_process_within_its_rights_passes() -> None:
    """Fewer rights than granted are no excess."""
    verification.refuse_excess([SOUND, SOUND | {"CapPrm": "0"}], rights(), RECORD, HOST)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CapBnd": f"{NET_BIND | 1 << 21:x}"}, "CapBnd"),
        ({"CapEff": f"{1 << 12:x}"}, "CapEff"),
        ({"CapAmb": "1"}, "CapAmb"),
        ({"NoNewPrivs": "0"}, "NoNewPrivs"),
        ({"Seccomp": "0"}, "Seccomp"),
        ({"uid_map": "0 0 4294967295"}, "uid_map"),
        ({"gid_map": "0 0 4294967295"}, "gid_map"),
        ({"user": HOST}, "user namespace"),
    ],
)
def test_each_excess_of_a_process_is_named(change: dict[str, str], named: str) -> None:
    """One process with more rights than its server has ends the restore."""
    with pytest.raises(CheckpointError, match=f"process 77 .*{re.escape(named)}"):
        verification.refuse_excess([SOUND, SOUND | change], rights(), RECORD, HOST)


def test_a_profile_without_a_filter_asks_for_none() -> None:
    """Seccomp is compared where the policy filters."""
    free = rights(seccomp="unconfined", no_new_privileges=False)
    verification.refuse_excess([SOUND | {"Seccomp": "0", "NoNewPrivs": "0"}], free, RECORD, HOST)


def test_a_restore_without_processes_is_refused() -> None:
    """Nothing that could be looked at is nothing that may run."""
    with pytest.raises(CheckpointError, match="no process"):
        verification.refuse_excess([], rights(), RECORD, HOST)


def test_every_capability_that_can_be_granted_has_a_number() -> None:
    """Names are the policy's own."""
    assert {*ORDINARY, *GRANTABLE} <= set(verification.NUMBERS)
    assert verification.NUMBERS["SYS_ADMIN"] == 21
    assert verification.NUMBERS["CHECKPOINT_RESTORE"] == 40
