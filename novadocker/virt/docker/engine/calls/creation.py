# SPDX-License-Identifier: Apache-2.0
"""The engine's calls that make a container, or give a container another name."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import docker.errors

from novadocker.errors import ContainerNotFound
from novadocker.virt.docker.engine.connection import Caller
from novadocker.virt.docker.engine.settling import settled


class CreationCalls(Caller):
    """Calls after which a container has a name that it had not before."""

    def rename(self, name: str, new_name: str) -> None:
        """Give a container another name.

        Args:
            name: present name.
            new_name: name from now on.

        Raises:
            ContainerNotFound: there is none.
            EngineReplyLost: the container has either name; look for both.
        """

        def act() -> bool:
            with self._call(f"rename container {name}", name):
                path = f"/containers/{quote(name)}/rename"
                self._send("rename", "POST", path, params={"name": new_name})
            return True

        def look() -> bool:
            if self._exists(name):
                return act()
            if not self._exists(new_name):
                raise ContainerNotFound(name=name)
            return True

        settled(act, look)

    def _create(self, action: str, name: str, body: Mapping[str, Any]) -> None:
        """Make a container under a name that no other container has.

        Args:
            action: purpose in words, for messages.
            name: name of the container.
            body: body of ``POST /containers/create``.
        """
        params = {"name": name}

        def act() -> bool:
            with self._call(action):
                self._send("create", "POST", "/containers/create", params=params, json=body)
            return True

        def look() -> bool | None:
            if self._exists(name):
                return True
            with self._call(action):
                try:
                    self._send("create", "POST", "/containers/create", params=params, json=body)
                except docker.errors.APIError as error:
                    # The engine keeps the name from the begin of a creation on, and shows the
                    # container at the end: a second creation is refused while the first goes on.
                    if error.status_code != HTTPStatus.CONFLICT:
                        raise
                    return None
            return True

        settled(act, look)

    def _exists(self, name: str) -> bool:
        with self._call("look for a container"):
            try:
                self._api.inspect_container(name)
            except docker.errors.NotFound:
                return False
            return True
