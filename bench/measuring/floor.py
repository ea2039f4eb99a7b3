# SPDX-License-Identifier: Apache-2.0
"""The engine's floor: creating and starting the container of a server, and nothing else."""

import time

from bench.measuring.cloud import Cloud
from bench.measuring.twin import twin
from novadocker.policy import Flavor


def measure(cloud: Cloud, image: str, flavor: Flavor) -> float:
    """Return the bare engine's seconds for a create and a start; nothing is left behind.

    Args:
        cloud: owner of the engine.
        image: Glance's id of an image that the engine has.
        flavor: server's flavor.
    """
    with twin(cloud, image, flavor) as bare:
        began = time.monotonic()
        bare.create()
        bare.hold()
        return time.monotonic() - began
