# SPDX-License-Identifier: Apache-2.0
"""Labels and names of the driver's containers."""

LABEL_INSTANCE = "novadocker.instance"
LABEL_PROJECT = "novadocker.project"
LABEL_HOST = "novadocker.host"
LABEL_IMAGE = "novadocker.image"
LABEL_HEALTH = "novadocker.health"  # the host, on containers whose image has a HEALTHCHECK
LABEL_PROBE = "novadocker.probe"  # the HEALTHCHECK itself, run by the driver
LABEL_ROLE = "novadocker.role"
LABEL_BASE = "novadocker.base"  # of a container that was made anew: the image that it began as
LABEL_KEPT = "novadocker.kept"  # and the bytes that it had written until then
LABEL_MOVE = "novadocker.move"  # id of Nova's migration by which a container came to its host
RESCUE = "rescue"  # the role of a container that stands in for the server's own
NAME_PREFIX = "nova-"


def container_name(uuid: str, *, rescue: bool = False) -> str:
    """Return the name of an instance's container.

    Args:
        uuid: id of the instance.
        rescue: True names the stand-in during a rescue.

    Returns:
        The name.
    """
    return f"{NAME_PREFIX}{uuid}-{RESCUE}" if rescue else f"{NAME_PREFIX}{uuid}"
