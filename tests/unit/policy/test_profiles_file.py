# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.policy.profiles import (
    BASELINE,
    BUILT_IN,
    RESTRICTED,
    SYSTEM,
)
from novadocker.policy.profiles_file import read

ROUTER = """
[router]
why = "routes"
based_on = "baseline"
add_capabilities = ["NET_ADMIN", "cap_sys_ptrace"]
sysctls = { "net.ipv4.ip_forward" = 1 }

[router-and-more]
based_on = "router"
tmpfs = ["/srv/cache"]
seccomp = "quiet"

[bare]
"""


def test_a_file_adds_profiles_to_those_that_are_built_in() -> None:
    """What one does not say is as in the one that it is based on, else as in restricted."""
    profiles = read(ROUTER, {"quiet"})
    assert set(profiles) == {*BUILT_IN, "router", "router-and-more", "bare"}
    router = profiles["router"]
    assert router.capabilities == BASELINE.capabilities | {"NET_ADMIN", "SYS_PTRACE"}
    assert (router.sysctls, router.why) == ({"net.ipv4.ip_forward": "1"}, "routes")
    more = profiles["router-and-more"]
    assert (more.capabilities, more.seccomp) == (router.capabilities, "quiet")
    bare = profiles["bare"]
    assert (bare.capabilities, bare.read_only, bare.root) == (frozenset(), True, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a]\nprivileged = true", r"\[a\]: privileged is none of why, capabilities"),
        ("[a]\ndevices = ['/dev/kvm']", "devices is none of"),
        ("[a]\ncapabilities = ['SYS_ADMIN']", "without SYS_ADMIN, which nobody gets"),
        ("[a]\ncapabilities = ['ALL']", "names of capabilities"),
        ("[a]\ncapabilities = 'KILL'", "a list is wanted"),
        ("[a]\nadd_capabilities = [1]", "one line of text is wanted"),
        ("[a]\ninit = true\nreaper = true", "init and reaper are both true"),
        ("[a]\nroot = 'yes'", "root = 'yes': true or false is wanted"),
        ("[a]\ntmpfs = ['/proc']", "an absolute path outside of"),
        ("[a]\ntmpfs = ['/srv/../proc']", "an absolute path outside of"),
        ("[a]\ntmpfs = ['/']", "an absolute path outside of"),
        ("[a]\ntmpfs = ['srv']", "an absolute path outside of"),
        ("[a]\nsysctls = { 'kernel.core_pattern' = '|/x' }", "no parameter of network or IPC"),
        ("[a]\nsysctls = { 'kernel.msgmax' = 'a\\nb;' }", "a number, or words"),
        ("[a]\nseccomp = 'unconfined'", "seccomp = unconfined is no file of seccomp_profiles"),
        ("[a]\nbased_on = 'b'", "based_on = b is none of restricted, baseline, system"),
        ("[baseline]\nroot = true", r"\[baseline\] is built in"),
        ("['../a']\nroot = true", "a name of letters"),
        ("a = 1", r"\[a\]: a profile is a table"),
        ("[a", "Expected ']'"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_where(text: str, said: str) -> None:
    """By table and field; there is no field for what nobody gets."""
    with pytest.raises(ValueError, match=said):
        read(text, ())


def test_the_profiles_are_in_order() -> None:
    """Each gives nothing that the next does not give."""
    assert RESTRICTED.within(BASELINE)
    assert RESTRICTED.within(SYSTEM)
    assert BASELINE.within(SYSTEM)
    assert not SYSTEM.within(BASELINE)
    assert not BASELINE.within(RESTRICTED)
