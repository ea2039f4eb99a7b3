# SPDX-License-Identifier: Apache-2.0
import io
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import docker
import psutil

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.machine import remains_of_cloud
from tests.support import busybox


def _busybox_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        busybox.put(tar, "bin/busybox")
    return buffer.getvalue()


def test_the_engine_is_private_and_remaps_users(engine_socket: Path) -> None:
    """Our engine has user namespaces, keeps containers over a restart, has no bridge."""
    client = docker.DockerClient(base_url=f"unix://{engine_socket}")
    info = client.info()
    networks = {network.name for network in client.networks.list()}
    client.close()
    assert "name=userns" in info["SecurityOptions"]
    assert info["LiveRestoreEnabled"] is True
    assert networks == {"host", "none"}
    assert info["DockerRootDir"].startswith(str(engine_socket.parent.parent))


def test_no_container_outlives_the_sweep(
    running_engine: Callable[[], AbstractContextManager[EnginePaths]],
) -> None:
    """A running container, its shim, its mounts and its cgroups go with the engine."""
    with running_engine() as paths:
        client = docker.DockerClient(base_url=paths.url)
        client.api.import_image_from_data(_busybox_tar(), repository="box")
        container = client.containers.run(
            "box", ["/bin/busybox", "sleep", "600"], network_disabled=True, detach=True
        )
        container.reload()
        pid = container.attrs["State"]["Pid"]
        client.close()
        assert psutil.pid_exists(pid)
        assert len(list(remains_of_cloud.shims(paths.containerd_socket))) == 1
    assert not psutil.pid_exists(pid)
    assert not list(remains_of_cloud.shims(paths.containerd_socket))
    assert not remains_of_cloud.mounts_below(paths.data)
    assert not remains_of_cloud.mounts_below(paths.run)
    assert not list(remains_of_cloud.CGROUPS.rglob(paths.cgroup))
