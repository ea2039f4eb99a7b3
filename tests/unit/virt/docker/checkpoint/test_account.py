# SPDX-License-Identifier: Apache-2.0
"""Two hosts compared, before processes go from one to the other."""

import json
from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import CheckpointError
from novadocker.virt.docker.checkpoint import account
from novadocker.virt.docker.checkpoint.account import Account

HOST = Account(
    machine="x86_64",
    kernel="6.12.41-amd64",
    features=("avx2", "sse4_2"),
    criu=(4, 2),
    cgroups="2",
    root="100000.100000",
    runtime="novadocker",
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kernel": "6.12.9-cloud"},
        {"kernel": "6.18.0"},
        {"criu": (4, 3)},
        {"features": ("avx2", "avx512f", "sse4_2")},
    ],
)
def test_a_host_that_has_as_much_is_accepted(changes: dict[str, Any]) -> None:
    """A newer kernel, a newer CRIU and a larger processor do no harm."""
    account.refuse(HOST, replace(HOST, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"machine": "aarch64"}, "aarch64"),
        ({"kernel": "6.1.0-9"}, "kernel 6.1.0-9 is older"),
        ({"criu": (4, 1)}, "CRIU 4.1 is older than 4.2"),
        ({"features": ("sse4_2",)}, "lacks avx2"),
        ({"cgroups": "1"}, "control groups of version 1"),
        ({"root": "231072.231072"}, "userns-remap"),
        ({"root": ""}, "none there"),
    ],
)
def test_a_host_that_lacks_something_is_refused(changes: dict[str, Any], reason: str) -> None:
    """The message names what is missing."""
    with pytest.raises(CheckpointError, match=reason):
        account.refuse(HOST, replace(HOST, **changes))


def test_an_account_travels_as_json() -> None:
    """What comes out at the other host is equal to what went in."""
    assert Account.read(json.loads(json.dumps(HOST.as_dictionary()))) == HOST


def test_features_are_read_of_either_architecture() -> None:
    """The kernel calls them flags on one and Features on another."""
    assert account._features("processor : 0\nflags\t\t: b a\n") == ("a", "b")
    assert account._features("Features\t: fp asimd\n") == ("asimd", "fp")
    assert account._features("") == ()
