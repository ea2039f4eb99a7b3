# SPDX-License-Identifier: Apache-2.0
"""The driver: ``compute_driver = novadocker.virt.docker.DockerDriver`` in nova.conf.

``DockerDriver`` is imported when it is asked for, so that the pure parts (``archive``,
``policy``, ``wiring.plan``) can be used where Nova is not installed.
"""

from typing import Any

__all__ = ["DockerDriver"]


def __getattr__(name: str) -> Any:
    if name != "DockerDriver":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from novadocker.virt.docker.driver import DockerDriver  # noqa: PLC0415 - see above

    return DockerDriver
