# SPDX-License-Identifier: Apache-2.0
"""Reader of ``docker:ulimits``: limits of setrlimit(2) in a flavor."""

import re

from novadocker.policy.settings import Ulimit

# The most of each. What orders processes before others' (nice, rtprio) is not here: their
# weight is the flavor's vcpus.
MOST = {
    "core": 2**40,
    "cpu": 2**31,
    "data": 2**40,
    "fsize": 2**50,
    "locks": 2**20,
    "memlock": 2**40,
    "msgqueue": 2**30,
    "nofile": 1_048_576,
    "nproc": 4_194_304,
    "sigpending": 2**20,
    "stack": 2**30,
}
# runc from 1.3 on opens files of its own after the limit is set: with fewer it cannot start.
LEAST = {"nofile": 64}
_ONE = re.compile(r"([a-z]+)=([0-9]{1,16})(?::([0-9]{1,16}))?", re.ASCII)
ACCEPTED = f"NAME=SOFT or NAME=SOFT:HARD, commas between, of {', '.join(MOST)}"


def read(text: str) -> tuple[Ulimit, ...]:
    """Read the limits of an extra spec.

    Args:
        text: "NAME=SOFT" or "NAME=SOFT:HARD", with commas between.

    Returns:
        Limits, sorted by name.

    Raises:
        ValueError: a limit is unknown, comes twice, or is too large.
    """
    found: dict[str, Ulimit] = {}
    for each in text.split(","):
        matched = _ONE.fullmatch(each.strip())
        if not matched or matched[1] not in MOST or matched[1] in found:
            raise ValueError(ACCEPTED)
        name, soft = matched[1], int(matched[2])
        hard = int(matched[3]) if matched[3] else soft
        least = LEAST.get(name, 0)
        if not least <= soft <= hard <= MOST[name]:
            raise ValueError(
                f"{name}=SOFT:HARD with SOFT up to HARD, SOFT from {least}, HARD up to {MOST[name]}"
            )
        found[name] = Ulimit(name, soft, hard)
    return tuple(found[name] for name in sorted(found))
