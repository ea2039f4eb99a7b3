# SPDX-License-Identifier: Apache-2.0
"""Per-server lock, and the begin of every operation that changes a server."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from oslo_concurrency import lockutils

from novadocker.virt.docker.actions.recovery.recreations import end_recreation
from novadocker.virt.docker.checkpoint.handover import refuse_handed_over
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.engine import Engine

LOCK_PREFIX = "novadocker-"


def lock(uuid: str) -> AbstractContextManager[Any]:
    """Return a context in which no other thread changes the same server.

    Actions take the lock, the modules below them (runner, networking, guest) rely on it.
    """
    # Nova holds a lock named by the bare id around most of its calls to us.
    held: AbstractContextManager[Any] = lockutils.lock(f"{LOCK_PREFIX}{uuid}")
    return held


@contextlib.contextmanager
def operation(engine: Engine, uuid: str) -> Iterator[None]:
    """Hold a server's lock over an operation, which begins with the names put right.

    A reply of the engine that was lost in an earlier operation may have left the container under
    another name; without this step no operation but a restart of nova-compute would find it.

    Args:
        engine: Docker Engine of this host.
        uuid: id of the instance.

    Raises:
        HandedOver: another host may run the server.
    """
    with lock(uuid):
        end_recreation(engine, uuid)
        refuse_handed_over(engine, uuid, container_name(uuid))
        yield
