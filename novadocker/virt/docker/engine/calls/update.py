# SPDX-License-Identifier: Apache-2.0
"""The engine's API, as far as it concerns what a container may use after it was made."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from novadocker.policy import Limits, Rights
from novadocker.virt.docker.engine.connection import Caller, raise_for_status
from novadocker.virt.docker.engine.limits import disk_body, limits_body
from novadocker.virt.docker.engine.rights import rights_body, rights_labels


class ResizeCalls(Caller):
    """What the engine does with a container's limits."""

    def update(self, name: str, limits: Limits) -> None:
        """Change what a container may use, whether it runs or not; its disk's stay.

        Args:
            name: its name.
            limits: all of them.

        Raises:
            ContainerNotFound: there is none.
        """
        # Not by the SDK's own call, which knows neither processors nor processes.
        with self._call(f"change the limits of container {name}", name):
            url = self._url(f"/containers/{quote(name)}/update")
            raise_for_status(
                self._api.post(url, json=limits_body(limits), timeout=self.connection.timeout)
            )

    def sizes(self, name: str) -> tuple[int, int]:
        """Measure a container's files; looks at every one of them.

        Args:
            name: its name.

        Returns:
            Bytes in its writable layer, and with its image's.

        Raises:
            ContainerNotFound: there is none.
        """
        timeout = self.connection.disk_timeout
        with self._call(f"measure container {name}", name):
            url = self._url(f"/containers/{quote(name)}/json")
            with self._api.get(url, params={"size": 1}, timeout=timeout) as answer:
                raise_for_status(answer)
                body = answer.json()
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
        """Make a container that is like another, volumes too, but from another image.

        Args:
            name: the one that it is like.
            replica: its name.
            image: id of its image.
            limits: what it may use.
            rights: what it may do.
            labels: beside the other's.

        Raises:
            ContainerNotFound: there is none to be like.
        """
        with self._call(f"make a container like {name}", name):
            body = replica_body(self._api.inspect_container(name), image, limits, rights, labels)
            self._api.create_container_from_config(body, replica)

    def rename(self, name: str, new_name: str) -> None:
        """Give a container another name.

        Args:
            name: that it has.
            new_name: that it gets.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"rename container {name}", name):
            self._api.rename(name, new_name)


def replica_body(
    body: Mapping[str, Any],
    image: str,
    limits: Limits,
    rights: Rights,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Describe a container like another.

    Args:
        body: of ``GET /containers/NAME/json``.
        image: id of its image.
        limits: what it may use.
        rights: what it may do.
        labels: beside the other's.

    Returns:
        The body of ``POST /containers/create``.
    """
    config = body["Config"]
    return {
        **config,
        "Image": image,
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
