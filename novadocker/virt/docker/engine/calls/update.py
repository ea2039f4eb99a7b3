# SPDX-License-Identifier: Apache-2.0
"""The engine's calls about limits: change, measure, and a replica with other limits."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from novadocker.policy import Limits, Rights
from novadocker.virt.docker.engine.calls.creation import CreationCalls
from novadocker.virt.docker.engine.limits import disk_body, limits_body
from novadocker.virt.docker.engine.rights import (
    rights_body,
    rights_entrypoint,
    rights_labels,
)


class ResizeCalls(CreationCalls):
    """Calls about the limits of a container."""

    def update(self, name: str, limits: Limits) -> None:
        """Change the limits of a container, running or not, but for the disk's.

        Args:
            name: name of the container.
            limits: all limits; the disk's are ignored.

        Raises:
            ContainerNotFound: there is none.
        """
        # Not by the SDK's own call, which knows neither processors nor processes.
        with self._call(f"change the limits of container {name}", name):
            path = f"/containers/{quote(name)}/update"
            self._send("update", "POST", path, json=limits_body(limits))

    def confine(self, name: str, cpuset: str) -> None:
        """Change the processors of a container, running or not, and no other limit.

        Args:
            name: name of the container.
            cpuset: numbers of processors, in the form of cpuset(7).

        Raises:
            ContainerNotFound: there is none.
            EngineError: a control group within the container's holds a processor that is not
                among them.
        """
        with self._call(f"change the processors of container {name}", name):
            path = f"/containers/{quote(name)}/update"
            self._send("update", "POST", path, json={"CpusetCpus": cpuset})

    def sizes(self, name: str) -> tuple[int, int]:
        """Measure a container's files, every one of them.

        Args:
            name: name of the container.

        Returns:
            Bytes in the writable layer, and bytes with the image's layers.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"measure container {name}", name):
            path = f"/containers/{quote(name)}/json"
            body = self._send("sizes", "GET", path, params={"size": 1}).json()
            return int(body.get("SizeRw") or 0), int(body.get("SizeRootFs") or 0)

    def replicate(
        self,
        name: str,
        replica: str,
        image: str,
        limits: Limits,
        rights: Rights,
        labels: Mapping[str, str],
    ) -> None:
        """Make a container like another, with the same volumes, from another image.

        Args:
            name: name of the original.
            replica: name of the new container.
            image: id of the new container's image.
            limits: limits of the new container.
            rights: rights of the new container.
            labels: labels beside the original's.

        Raises:
            ContainerNotFound: there is no original.
            EngineReplyLost: the replica was not seen for a minute; the replica may come yet.
        """
        action = f"make a container like {name}"
        with self._call(action, name):
            original = self._api.inspect_container(name)
        self._create(action, replica, replica_body(original, image, limits, rights, labels))


def replica_body(
    body: Mapping[str, Any],
    image: str,
    limits: Limits,
    rights: Rights,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Describe a container like another.

    Args:
        body: body of ``GET /containers/NAME/json``.
        image: id of the new container's image.
        limits: limits of the new container.
        rights: rights of the new container.
        labels: labels beside the original's.

    Returns:
        The body of ``POST /containers/create``.
    """
    config = body["Config"]
    return {
        **config,
        "Image": image,
        "Entrypoint": rights_entrypoint(config.get("Entrypoint") or (), rights),
        "Labels": {**(config.get("Labels") or {}), **labels, **rights_labels(rights)},
        "HostConfig": {
            **body["HostConfig"],
            **limits_body(limits),
            **disk_body(limits),
            **rights_body(rights),
            # By this, and not by their names, they stay what goes with the last container.
            "VolumesFrom": [body["Id"]],
        },
    }
