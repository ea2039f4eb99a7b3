# SPDX-License-Identifier: Apache-2.0
"""Container of a server, as seen by an operator of the host."""

from contextlib import closing
from typing import Any

import docker

from novadocker.cloud.layout.host import ComputeHost


def run(host: ComputeHost, server: str, *argv: str) -> str:
    """Run a program in a server's container, and return the output.

    Args:
        host: host of the server.
        server: the server's id.
        *argv: words of the command.
    """
    with closing(docker.APIClient(base_url=host.engine.url, version="auto")) as engine:
        made = engine.exec_create(f"nova-{server}", list(argv))
        return str(engine.exec_start(made["Id"]).decode(errors="replace"))


def state(host: ComputeHost, server: str) -> Any:
    """Return the engine's state of a server's container.

    Args:
        host: where it is.
        server: the server's id.
    """
    with closing(docker.APIClient(base_url=host.engine.url, version="auto")) as engine:
        return engine.inspect_container(f"nova-{server}")["State"]
