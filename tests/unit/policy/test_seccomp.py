# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

import pytest

from novadocker.policy.seccomp import checked

ALLOW = "SCMP_ACT_ALLOW"
ARGS = [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]


def profile(*rules: dict[str, Any], **changes: Any) -> str:
    """Return a profile that refuses by default, with rules."""
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": list(rules), **changes})


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"names": ["read", "write"], "action": ALLOW}],
        [{"name": "read", "action": ALLOW}],
        [{"names": ["mount", "bpf"], "action": "SCMP_ACT_ERRNO"}],
        [{"names": ["clone"], "action": ALLOW, "args": ARGS}],
        [{"names": ["mount"], "action": ALLOW, "includes": {"caps": ["CAP_SYS_ADMIN"]}}],
    ],
)
def test_a_stricter_profile_is_taken(rules: list[dict[str, Any]]) -> None:
    """As Docker's own is: what takes a capability that nobody gets is open to nobody."""
    assert json.loads(checked(profile(*rules)))["syscalls"] == rules


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("[]", "its defaultAction must be one of"),
        (json.dumps({"defaultAction": ALLOW}), "its defaultAction must be one of SCMP_ACT_ERRNO"),
        (json.dumps({"defaultAction": "SCMP_ACT_LOG"}), "its defaultAction must be"),
        (json.dumps({"defaultAction": "SCMP_ACT_NOTIFY"}), "its defaultAction must be"),
        (profile(listenerPath="/run/x"), "must not hand calls to a listener"),
        (profile({"names": ["read", "mount"], "action": ALLOW}), "it allows mount to everybody"),
        (profile({"names": ["unshare"], "action": "SCMP_ACT_LOG"}), "it allows unshare"),
        (profile({"names": ["bpf"], "action": "SCMP_ACT_TRACE"}), "it allows bpf"),
        (profile({"name": "keyctl", "action": ALLOW}), "it allows keyctl"),
        (profile({"names": ["clone"], "action": ALLOW}), "it allows clone"),
        (profile({"names": ["clone3"], "action": ALLOW, "args": ARGS}), "it allows clone3"),
        # what everybody has is no condition
        (
            profile({"names": ["mount"], "action": ALLOW, "includes": {"caps": ["CAP_CHOWN"]}}),
            "it allows mount",
        ),
        (profile({"names": ["mount"], "action": ALLOW, "includes": {"arches": ["x"]}}), "mount"),
        (profile({"names": "mount", "action": ALLOW}), "a list of words"),
        (profile({"names": [1], "action": ALLOW}), "a list of words"),
    ],
)
def test_a_profile_that_opens_more_is_refused(text: str, said: str) -> None:
    """Whatever it is called."""
    with pytest.raises(ValueError, match=said):
        checked(text)
