# SPDX-License-Identifier: Apache-2.0
"""Backends of other packages.

A package offers one by an entry point of the group ``novadocker.wiring_backends``, whose name
is the VIF type and whose value is what makes the backend when it is called without arguments::

    [project.entry-points."novadocker.wiring_backends"]
    macvlan = "example.nova:Macvlan"
"""

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from novadocker.errors import BackendUnusable
from novadocker.virt.docker.wiring.backends.base import Backend

GROUP = "novadocker.wiring_backends"


def third_party(taken: Collection[str]) -> dict[str, Backend]:
    """Load the backends that other packages offer.

    Args:
        taken: VIF types that are ours.

    Returns:
        The backends by VIF type.

    Raises:
        BackendUnusable: one cannot be loaded, or wants a VIF type that has a backend already.
    """
    found: dict[str, Backend] = {}
    for point in entry_points(group=GROUP):
        if point.name in taken or point.name in found:
            raise _unusable(point, "another backend serves that VIF type; uninstall one of them")
        found[point.name] = _made(point)
    return found


def _made(point: EntryPoint) -> Backend:
    try:
        backend = point.load()()
    except Exception as error:
        raise _unusable(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(backend, Backend):
        raise _unusable(point, f"it makes no {Backend.__module__}.{Backend.__name__}")
    return backend


def _unusable(point: EntryPoint, reason: str) -> BackendUnusable:
    package = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    return BackendUnusable(vif_type=point.name, origin=f"{point.value}{package}", reason=reason)
