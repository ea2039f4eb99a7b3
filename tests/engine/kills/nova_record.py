# SPDX-License-Identifier: Apache-2.0
"""Nova's record of one server, in a file beside the processes of the driver."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nova import objects
from nova.compute import power_state, vm_states
from nova.network import model

from tests.engine.wiring.stand_in import a_vif

HOST = "h1"
MIGRATION = "91a9ce00-0000-4000-8000-000000000004"
IMAGE = "91a9ce00-0000-4000-8000-000000000003"
COMMAND = "/bin/sh -c '[ -e /file ] || echo kept >/file; exec sleep 600'"
FLAVORS: dict[str, dict[str, str]] = {"small": {}, "other": {"docker:cap_add": "NET_ADMIN"}}


@dataclass(frozen=True)
class Record:
    """Columns of the record that the driver's work depends on.

    Attributes:
        uuid: id of the instance.
        vifs: ports of the server, in Nova's primitive form.
        ports: number of ports of these that the server has.
        vm_state: state of the server.
        task_state: task that Nova has for the server; None without one.
        flavor: name in ``FLAVORS``.
        deleted: the server is gone from Nova.
    """

    uuid: str
    vifs: list[Any]
    ports: int = 1
    vm_state: str = vm_states.BUILDING
    task_state: str | None = None
    flavor: str = "small"
    deleted: bool = False

    @property
    def network(self) -> model.NetworkInfo:
        """The ports that the server has."""
        return model.NetworkInfo.hydrate(self.vifs[: self.ports])

    @property
    def nova_flavor(self) -> objects.Flavor:
        """The flavor in Nova's form."""
        return objects.Flavor(
            vcpus=1,
            memory_mb=32,
            root_gb=1,
            ephemeral_gb=0,
            swap=0,
            extra_specs=FLAVORS[self.flavor],
        )

    def instance(self) -> objects.Instance:
        """Return the instance as nova-compute loads it."""
        return objects.Instance(
            uuid=self.uuid,
            id=1,
            project_id="p1",
            user_id="u1",
            host=HOST,
            node=HOST,
            hostname="web-1",
            display_name="web-1",
            flavor=self.nova_flavor,
            metadata={},
            image_ref=IMAGE,
            kernel_id="",
            ramdisk_id="",
            config_drive="",
            key_data=None,
            user_data=None,
            device_metadata=None,
            pci_requests=None,
            trusted_certs=None,
            system_metadata={"image_os_command_line": COMMAND},
            info_cache=objects.InstanceInfoCache(network_info=self.network),
            migration_context=objects.MigrationContext(migration_id=1),
            launched_at=None,
            vm_state=self.vm_state,
            task_state=self.task_state,
            power_state=power_state.RUNNING,
        )


class Database:
    """File with the record.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, uuid: str) -> None:
        """Record a new server, of which nothing is made yet.

        Args:
            uuid: id of the instance.
        """
        vifs = [json.loads(json.dumps(a_vif(number, "tap", number))) for number in (5, 6)]
        self._write(Record(uuid, vifs))

    @property
    def record(self) -> Record:
        """The record as it is now."""
        return Record(**json.loads(self._path.read_text()))

    def note(self, **changes: Any) -> Record:
        """Change columns, and return the record."""
        changed = replace(self.record, **changes)
        self._write(changed)
        return changed

    def _write(self, record: Record) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(record)))
        # In one step: a kill may come while the record is written.
        fresh.rename(self._path)
