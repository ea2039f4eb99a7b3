# SPDX-License-Identifier: Apache-2.0
"""What nova-api says of a flavor's ``docker:*``, by Nova's own validation."""

import importlib
import importlib.metadata
import warnings
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what Nova stands on
    validators: Any = importlib.import_module("nova.api.validation.extra_specs.validators")
from nova import exception

from novadocker.api import extra_specs


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register ours as Nova does, whether this environment has our entry points or not."""
    ours = {each.name: each for each in extra_specs.register()}
    monkeypatch.setattr(validators, "VALIDATORS", {**validators.VALIDATORS, **ours})
    monkeypatch.setattr(validators, "NAMESPACES", {*validators.NAMESPACES, "docker"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("docker:profile", "restricted"),
        ("docker:profile", "the-operators_own.1"),
        ("docker:cap_add", "NET_ADMIN,cap_net_raw"),
        ("docker:cap_drop", "ALL"),
        ("docker:seccomp", "strict"),
        ("docker:apparmor", "docker-tenant"),
        ("docker:runtime", "io.containerd.kata.v2"),
        ("docker:pids_limit", "64"),
        ("docker:shm_size", "1g"),
        ("docker:ulimits", "nofile=1024:4096,core=0"),
        ("docker:read_only", "True"),
        ("docker:sysctl.net.ipv4.ip_forward", "1"),
        ("docker:sysctl.net.ipv4.ip_local_port_range", "1024 65535"),
        ("trait:CUSTOM_DOCKER_RUNTIME_RUNSC", "required"),
        ("dockerish:anything", "at all"),
    ],
)
def test_what_there_is_may_be_set(name: str, value: str) -> None:
    """In its several ways of writing."""
    validators.validate(name, value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("docker:cap_add", "SYS_ADMIN", "without SYS_ADMIN, which nobody gets: mounts"),
        ("docker:cap_add", "ALL", "names of capabilities with commas"),
        ("docker:cap_add", "", "names of capabilities"),
        ("docker:cap_drop", "NET_ADMN", "names of capabilities"),
        ("docker:apparmor", "unconfined", "no container is unconfined"),
        ("docker:profile", "../x", "a name of letters"),
        ("docker:pids_limit", "0", "a number from 1 to 4194304"),
        ("docker:pids_limit", "9" * 200, "a number from 1 to 4194304"),
        ("docker:pids_limit", "\u0663", "a number from 1 to 4194304"),
        ("docker:shm_size", "-1", "a size such as 64m"),
        ("docker:ulimits", "rtprio=99", "NAME=SOFT"),
        ("docker:ulimits", "nofile=9:1", "SOFT up to HARD"),
        ("docker:read_only", "maybe", "true or false"),
        ("docker:sysctl.kernel.core_pattern", "|/x", "a parameter of network or IPC namespaces"),
        ("docker:sysctl.net.ipv4.conf.eth0.forwarding", "1", "a parameter of network or IPC"),
        ("docker:sysctl.net.ipv4.ip_forward", "1; reboot", "a number, or words"),
        ("docker:sysctl.", "1", "a parameter of network"),
    ],
)
def test_what_there_is_not_is_refused_in_our_words(name: str, value: str, said: str) -> None:
    """The extra spec, its value and what would be accepted are in the answer."""
    with pytest.raises(exception.ValidationError, match="is refused; accepted is") as raised:
        validators.validate(name, value)
    assert f"{name} = " in str(raised.value)
    assert said in str(raised.value)


@pytest.mark.parametrize("name", ["privileged", "capabilities", "sysctl", "no_new_privileges"])
def test_a_name_that_there_is_not_is_refused(name: str) -> None:
    """By Nova itself, which knows the namespace."""
    with pytest.raises(exception.ValidationError, match=f"'docker:{name}' does not appear"):
        validators.validate(f"docker:{name}", "true")


def test_each_explains_itself() -> None:
    """What Nova prints of extra specs has more than names."""
    assert all(len(each.description) > 20 for each in extra_specs.register())


def test_novas_entry_points_name_ours() -> None:
    """As installed: what nova-api loads is this module."""
    found = importlib.metadata.entry_points(group="nova.api.extra_spec_validators")
    ours = [each for each in found if each.name == "novadocker"]
    assert [each.load() for each in ours] == [extra_specs]
