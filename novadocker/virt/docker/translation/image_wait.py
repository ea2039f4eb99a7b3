# SPDX-License-Identifier: Apache-2.0
"""Wait of a server for its image: the server's end, and progress for the tenant."""

from typing import Any

from nova import exception, objects
from nova.compute import task_states, vm_states
from oslo_log import log as logging

from novadocker.virt.nova_types import Instance, RequestContext

LOG = logging.getLogger(__name__)

EVENT = "docker_load_image"
_STEPS = (25, 50, 75)
_GIB = 1024**3


class WaitingServer:
    """Server in wait for an image; the action's events show the tenant the progress.

    ``docker_load_image`` lasts as long as the loading, and such as
    ``docker_load_image_50_percent`` tell when it came so far.

    Args:
        context: request of the action.
        instance: Nova's.
        host: the compute host.

    Attributes:
        root_bytes: root disk of the flavor; 0 without a limit.
    """

    def __init__(self, context: RequestContext, instance: Instance, host: str) -> None:
        self._context = context
        self._uuid = instance.uuid
        self._host = host
        self._told = 0
        # An image that a server was shelved to holds what the server has written beside what
        # its own image held: it must come back though both are more than one root disk.
        shelved = instance.vm_state == vm_states.SHELVED_OFFLOADED
        self.root_bytes = 0 if shelved else instance.flavor.root_gb * _GIB

    def expect_wanted(self) -> None:
        """Return, unless the server is being deleted.

        Nova holds the instance's lock while it builds: of a request to delete it, only the
        task state in the database tells.

        Raises:
            nova.exception.InstanceNotFound: it is gone.
            nova.exception.UnexpectedDeletingTaskStateError: it is about to go.
        """
        try:
            found = objects.Instance.get_by_uuid(self._context, self._uuid)
        except exception.InstanceNotFound:
            raise
        except Exception as error:  # noqa: BLE001 - the broker's faults are many, and may pass
            LOG.warning("Whether server %s is wanted is not known: %s", self._uuid, error)
            return
        if found.task_state == task_states.DELETING:
            raise exception.UnexpectedDeletingTaskStateError(
                instance_uuid=self._uuid,
                expected={"task_state": [task_states.SPAWNING]},
                actual={"task_state": task_states.DELETING},
            )

    def begin(self) -> None:
        """Tell that the image is loaded from now on."""
        self._tell("event_start", EVENT, host=self._host)

    def advance(self, done: int, total: int) -> None:
        """Tell how far it is.

        Args:
            done: bytes that were read.
            total: bytes that are to be read; 0 where that is not known.
        """
        percent = 100 * done // total if total else 0
        for step in _STEPS:
            if self._told < step <= percent:
                self._told = step
                name = f"{EVENT}_{step}_percent"
                self._tell("event_start", name, host=self._host)
                self._tell("event_finish", name)

    def end(self, fault: BaseException | None) -> None:
        """Close the event.

        Args:
            fault: why the image is not here; None where it is.
        """
        trace = fault.__traceback__ if fault else None
        self._tell("event_finish_with_failure", EVENT, exc_val=fault, exc_tb=trace)

    def _tell(self, call: str, name: str, **details: Any) -> None:
        try:
            tell = getattr(objects.InstanceActionEvent, call)
            tell(self._context, self._uuid, name, want_result=False, **details)
        except Exception as error:  # noqa: BLE001 - no boot fails for want of an account of it
            LOG.debug("The event %s of server %s is not told: %s", name, self._uuid, error)
