# SPDX-License-Identifier: Apache-2.0
"""Availability of one compute service to the scheduler, by the engine's answers.

A host whose engine is dead or hung would take every new server, and fail it: nothing there uses
its memory any more. So the service is disabled with the reason, and enabled again when the
engine answers. An operator's own choice is left alone in both directions.
"""

import contextlib
from collections.abc import Iterator

from nova import context as nova_context
from nova import exception, objects
from oslo_log import log as logging

from novadocker.errors import EngineUnavailable
from novadocker.virt.nova_types import VirtAPI

LOG = logging.getLogger(__name__)

# The mark by which a reason is known as the driver's; Nova's libvirt driver has the same one.
PREFIX = "AUTO: "
MOST_CHARACTERS = 255  # of a reason, in Nova's database


class Availability:
    """Availability of one compute service to the scheduler.

    Args:
        virtapi: Nova's side, which tells Placement.
        host: name of the host in Nova.
    """

    def __init__(self, virtapi: VirtAPI, host: str) -> None:
        self._virtapi = virtapi
        self._host = host

    @contextlib.contextmanager
    def follows_engine(self) -> Iterator[None]:
        """Disable the service of an absent engine, and enable the service of a present one.

        Yields:
            Nothing; work that asks the engine.
        """
        try:
            yield
        except EngineUnavailable as error:
            self._tell(str(error))
            raise
        self._tell("")

    def _tell(self, reason: str) -> None:
        try:
            self._record(reason)
        except Exception:
            # Nova asks for resources again in a minute, and this is told again.
            LOG.exception("The compute service of %s is not enabled or disabled", self._host)

    def _record(self, reason: str) -> None:
        context = nova_context.get_admin_context()
        try:
            service = objects.Service.get_by_compute_host(context, self._host)
        except exception.ComputeHostNotFound:
            return  # nova-compute starts for the first time
        ours = (service.disabled_reason or "").startswith(PREFIX)
        if service.disabled == bool(reason) or (service.disabled and not ours):
            return
        service.disabled = bool(reason)
        service.disabled_reason = (PREFIX + reason)[:MOST_CHARACTERS] if reason else None
        service.save()
        now = f"disabled: {reason}" if reason else "enabled again"
        LOG.warning("The compute service of %s is %s", self._host, now)
        for node in objects.ComputeNodeList.get_all_by_host(context, self._host):
            self._virtapi.update_compute_provider_status(context, node.uuid, not reason)
