# SPDX-License-Identifier: Apache-2.0
"""Per-server lock, held by every operation that changes a server."""

from contextlib import AbstractContextManager
from typing import Any

from oslo_concurrency import lockutils

LOCK_PREFIX = "novadocker-"


def lock(uuid: str) -> AbstractContextManager[Any]:
    """Return a context in which no other thread changes the same server.

    Actions take the lock, the modules below them (runner, networking, guest) rely on it.
    """
    # Nova holds a lock named by the bare id around most of its calls to us.
    held: AbstractContextManager[Any] = lockutils.lock(f"{LOCK_PREFIX}{uuid}")
    return held
