# SPDX-License-Identifier: Apache-2.0
"""End of a rescue, ordered by a tenant or broken off by a death."""

from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.network.networking import Network, Networking


def end_rescue(runner: Runner, networking: Networking, uuid: str, network: Network) -> None:
    """Remove a stand-in and leave the server stopped; do nothing without a stand-in.

    The caller holds the server's lock.

    Args:
        runner: knows containers and their directories.
        networking: unplugs the stand-in.
        uuid: id of the instance.
        network: ports of the server.
    """
    own, guest = runner.guest(uuid), runner.guest(uuid, rescue=True)
    directory = runner.directory(uuid, rescue=True)
    if not (directory.path.exists() or guest.find()):
        return
    guest.remove()
    networking.unwire(network)
    if own.find():
        own.stop(0)  # at its gate, with the mounts of the time before the rescue
    directory.remove()  # last: while the directory exists, the rescue is not over
