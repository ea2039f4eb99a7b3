# SPDX-License-Identifier: Apache-2.0
"""Several servers at once, each led at random through all that a tenant may ask for."""

import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.support.cloud_site import Site, Tenant
from tests.support.walk import ACTIONS, Walker

SEED = os.environ.get("NOVADOCKER_WALK_SEED", "504")
SERVERS = int(os.environ.get("NOVADOCKER_WALK_SERVERS", "4"))
STEPS = int(os.environ.get("NOVADOCKER_WALK_STEPS", "9"))


def test_whatever_is_asked_for_all_agree(
    site: Site, tenant: Tenant, web: str, standing: str
) -> None:
    """After every action a server's state, container, network and Placement say the same."""
    spare = tenant.network("10.77.0.0/24", routed=False)
    names = [action.name for action in ACTIONS]
    walkers = [
        Walker(
            *(site, tenant, web, standing, spare),
            chance=random.Random(f"{SEED}-{number}"),  # noqa: S311 - chooses actions, not keys
            due=frozenset(names[number::SERVERS]),
        )
        for number in range(SERVERS)
    ]
    with ThreadPoolExecutor(SERVERS) as pool:
        done = [pool.submit(_walk, walker) for walker in walkers]
    told = Counter(name for walker in walkers for name in walker.story)
    print(f"\nseed {SEED}: {dict(told)}")  # noqa: T201 - how to have the same walk again
    for each in done:
        each.result()


def _walk(walker: Walker) -> None:
    walker.begin()
    try:
        walker.check()
        for _ in range(STEPS):
            walker.step()
    finally:
        walker.end()
    walker.tenant.delete(walker.server)  # which sees that nothing is left
