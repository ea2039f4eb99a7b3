# SPDX-License-Identifier: Apache-2.0
"""Actions to be killed: Nova's calls in Nova's order, and the record beside each call."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nova import objects
from nova.compute import task_states, vm_states
from nova.network import model

from tests.engine.kills.compute_service import SNAPSHOT, ComputeService
from tests.engine.kills.nova_record import HOST

Act = Callable[[ComputeService], None]


def spawn(service: ComputeService) -> None:
    """Build the server."""
    record = service.database.note(
        vm_state=vm_states.BUILDING, task_state=task_states.SPAWNING, deleted=False
    )
    _spawn(service, record.network)


def _spawn(service: ComputeService, network: model.NetworkInfo) -> None:
    instance = service.record.instance()
    service.driver.spawn(
        service.context, instance, service.image_meta, [], None, {}, network_info=network
    )
    service.database.note(vm_state=vm_states.ACTIVE, task_state=None)


def destroy(service: ComputeService) -> None:
    """Delete the server."""
    record = service.database.note(task_state=task_states.DELETING)
    service.driver.destroy(service.context, record.instance(), record.network)
    service.database.note(deleted=True)


def stop(service: ComputeService) -> None:
    """Stop the server."""
    record = service.database.note(task_state=task_states.POWERING_OFF)
    service.driver.power_off(record.instance(), 0)
    service.database.note(vm_state=vm_states.STOPPED, task_state=None)


def start(service: ComputeService) -> None:
    """Start the server."""
    record = service.database.note(task_state=task_states.POWERING_ON)
    service.driver.power_on(service.context, record.instance(), record.network)
    service.database.note(vm_state=vm_states.ACTIVE, task_state=None)


def reboot(service: ComputeService) -> None:
    """Reboot the server by force."""
    record = service.database.note(task_state=task_states.REBOOT_STARTED_HARD)
    service.driver.reboot(service.context, record.instance(), record.network, "HARD")
    service.database.note(vm_state=vm_states.ACTIVE, task_state=None)


def rebuild(service: ComputeService) -> None:
    """Rebuild the server: Nova destroys and spawns, where the driver has found it possible."""
    record = service.database.note(vm_state=vm_states.ACTIVE, task_state=task_states.REBUILDING)
    instance, image = record.instance(), service.image_meta
    with contextlib.suppress(NotImplementedError):
        service.driver.rebuild(
            service.context, instance, image, [], None, {}, [], print, print, record.network
        )
    service.driver.destroy(service.context, instance, record.network)
    service.database.note(task_state=task_states.REBUILD_BLOCK_DEVICE_MAPPING)
    record = service.database.note(task_state=task_states.REBUILD_SPAWNING)
    _spawn(service, record.network)


def resize(service: ComputeService) -> None:
    """Give the server other rights, for which the container is made anew."""
    record = service.database.note(task_state=task_states.RESIZE_MIGRATING)
    # Nova gives the instance its new flavor only between the two calls.
    wanted = service.database.note(flavor="other").nova_flavor
    service.database.note(flavor=record.flavor)
    service.driver.migrate_disk_and_power_off(
        service.context, record.instance(), "127.0.0.1", wanted, record.network
    )
    service.database.note(task_state=task_states.RESIZE_MIGRATED)
    record = service.database.note(task_state=task_states.RESIZE_FINISH, flavor="other")
    service.driver.finish_migration(
        service.context,
        None,
        record.instance(),
        "",
        record.network,
        service.image_meta,
        True,
        {},
    )
    service.database.note(vm_state=vm_states.RESIZED, task_state=None)


def confirm(service: ComputeService) -> None:
    """Confirm the resize."""
    record = service.record
    migration = objects.Migration(source_compute=HOST, dest_compute=HOST)
    service.driver.confirm_migration(service.context, migration, record.instance(), record.network)
    service.database.note(vm_state=vm_states.ACTIVE)


def revert(service: ComputeService) -> None:
    """Revert the resize: Nova destroys without the disks, and finishes with the old flavor."""
    record = service.database.note(task_state=task_states.RESIZE_REVERTING)
    service.driver.destroy(service.context, record.instance(), record.network, destroy_disks=False)
    record = service.database.note(flavor="small")
    service.driver.finish_revert_migration(service.context, record.instance(), record.network, None)
    service.database.note(vm_state=vm_states.ACTIVE, task_state=None)


def snapshot(service: ComputeService) -> None:
    """Make an image of the server."""
    record = service.database.note(task_state=task_states.IMAGE_SNAPSHOT)
    service.driver.snapshot(service.context, record.instance(), SNAPSHOT, lambda **states: None)
    service.database.note(task_state=None)


def rescue(service: ComputeService) -> None:
    """Run a stand-in from the same image."""
    record = service.database.note(task_state=task_states.RESCUING)
    service.driver.rescue(
        service.context, record.instance(), record.network, service.image_meta, "secret", {}, None
    )
    service.database.note(vm_state=vm_states.RESCUED, task_state=None)


def unrescue(service: ComputeService) -> None:
    """Run the server itself again."""
    record = service.database.note(task_state=task_states.UNRESCUING)
    service.driver.unrescue(service.context, record.instance())
    service.database.note(vm_state=vm_states.ACTIVE, task_state=None)


def attach(service: ComputeService) -> None:
    """Give the server a second port, which Nova records first."""
    # The port is Nova's before the driver hears of it, so a death in between finds it there.
    record = service.database.note(ports=2)
    service.driver.attach_interface(
        service.context, record.instance(), service.image_meta, record.network[1]
    )


def detach(service: ComputeService) -> None:
    """Take the second port, which Nova forgets last."""
    record = service.database.note(ports=2)
    service.driver.detach_interface(service.context, record.instance(), record.network[1])
    service.database.note(ports=1)


def set_active(service: ComputeService) -> None:
    """Do as an operator does where Nova has no way back: state active, and a hard reboot."""
    service.database.note(vm_state=vm_states.ACTIVE, task_state=None)
    reboot(service)


def nothing(_service: ComputeService) -> None:
    """Leave it to Nova's own start."""


@dataclass(frozen=True)
class Action:
    """Action with preparations and expectations.

    Attributes:
        act: the action.
        before: actions that make the server ready for it.
        mend: step between Nova's start and the second time, as docs/operator.md has it.
        alive: the server runs afterwards; None for a server that is gone.
        stand_in: the server is rescued afterwards.
        keeps: the files of the server survive.
    """

    act: Act
    before: tuple[Act, ...] = (spawn,)
    mend: Act = nothing
    alive: bool | None = True
    stand_in: bool = False
    keeps: bool = True


ACTIONS: Mapping[str, Action] = {
    "spawn": Action(spawn, before=(), mend=destroy, keeps=False),
    "destroy": Action(destroy, alive=None, keeps=False),
    "stop": Action(stop, alive=False),
    "start": Action(start, before=(spawn, stop)),
    "reboot": Action(reboot),
    "rebuild": Action(rebuild, keeps=False),
    "resize": Action(resize, mend=set_active),
    "confirm": Action(confirm, before=(spawn, resize)),
    "revert": Action(revert, before=(spawn, resize)),
    "snapshot": Action(snapshot),
    "rescue": Action(rescue, mend=set_active, stand_in=True),
    "unrescue": Action(unrescue, before=(spawn, rescue)),
    "attach": Action(attach),
    "detach": Action(detach, before=(spawn, attach)),
}
