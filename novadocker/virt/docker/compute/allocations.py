# SPDX-License-Identifier: Apache-2.0
"""Placement's allocation of a server, put back after a refused rebuild and Nova's removal.

``ComputeManager.rebuild_instance`` deletes the allocation after every failed rebuild, as if the
server had been on its way to another host. The server that stays would hold a place that
Placement sells again.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from nova import context as nova_context
from nova.scheduler.client import report
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 120.0


class Allocations:
    """Allocations of the servers on one host.

    Args:
        settled: returns, by an instance's id, whether Nova has no task for the instance;
            raises LookupError where Nova knows no such instance.
    """

    def __init__(self, settled: Callable[[str], bool]) -> None:
        self._settled = settled

    @contextlib.contextmanager
    def kept(self, uuid: str) -> Iterator[None]:
        """Keep a server's allocation over an operation that is refused; a success keeps nothing.

        Args:
            uuid: id of the instance.
        """
        try:
            yield
        except Exception:
            # Nova drops the allocation only after this call, and only this call knows.
            self._begin(uuid)
            raise

    def _begin(self, uuid: str) -> None:
        try:
            had = _allocations(uuid)
        except Exception:  # the refusal is to reach its tenant, whatever Placement does
            LOG.exception("The allocation of server %s is not known", uuid)
            return
        if not had["allocations"]:
            return
        # In a thread: the caller holds up Nova's own handling of the refusal.
        thread = threading.Thread(
            target=self._put_back, args=(uuid, had), name=f"allocation-{uuid}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # the limit of threads; the refusal itself is to be told
            LOG.warning("The allocation of server %s will be lost: %s", uuid, error)

    def _put_back(self, uuid: str, had: dict[str, Any]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        try:
            while time.monotonic() < until:
                time.sleep(POLL_SECONDS)
                # Nova drops the allocation before its task ends; a deletion drops it as well,
                # and then Nova knows the instance no more.
                if self._settled(uuid):
                    if not _allocations(uuid)["allocations"]:
                        _put(uuid, had)
                        LOG.info("The allocation of server %s was put back", uuid)
                    return
        except LookupError:
            return
        except Exception:
            LOG.exception(
                "The allocation of server %s is lost; nova-manage placement heal_allocations "
                "restores it",
                uuid,
            )


def _allocations(uuid: str) -> dict[str, Any]:
    client = report.report_client_singleton()
    found: dict[str, Any] = client.get_allocs_for_consumer(nova_context.get_admin_context(), uuid)
    return found


def _put(uuid: str, had: dict[str, Any]) -> None:
    payload = {
        "allocations": {
            provider: {"resources": each["resources"]}
            for provider, each in had["allocations"].items()
        },
        "project_id": had["project_id"],
        "user_id": had["user_id"],
        "consumer_generation": None,  # a consumer without allocations is a new one
    }
    client = report.report_client_singleton()
    client.put_allocations(nova_context.get_admin_context(), uuid, payload)
