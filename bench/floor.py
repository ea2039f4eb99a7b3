# SPDX-License-Identifier: Apache-2.0
"""The engine's floor: creating and starting the container of a server, and nothing else."""

import time

from cloud import Cloud
from twin import twin

from novadocker.policy import Flavor


def measure(cloud: Cloud, image: str, flavor: Flavor) -> float:
    """Return the seconds that the bare engine takes; nothing is left of it.

    Args:
        cloud: whose engine.
        image: Glance's id of an image that the engine has.
        flavor: of the server.
    """
    with twin(cloud, image, flavor) as bare:
        began = time.monotonic()
        bare.create()
        bare.hold()
        return time.monotonic() - began
