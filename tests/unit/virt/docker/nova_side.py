# SPDX-License-Identifier: Apache-2.0
"""Nova's side of the driver, for tests of what is between the two."""

import contextlib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from nova import exception, objects
from nova.compute import vm_states
from nova.virt import fake

from novadocker.policy import Abilities
from novadocker.virt.docker.driver import DockerDriver

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what Nova stands on
    objects.register_all()

UUID = "5a1c0000-0000-4000-8000-000000000001"


IMAGE_ID = "91a9ce00-0000-4000-8000-000000000001"


PORT = "70a70000-0000-4000-8000-000000000001"


def instance(**changes: Any) -> objects.Instance:
    """Return Nova's instance, as nova-compute has it in its hands."""
    flavor = objects.Flavor(
        vcpus=2, memory_mb=512, root_gb=5, swap=64, extra_specs={"docker:pids_limit": "99"}
    )
    values = {
        "uuid": UUID,
        "project_id": "p1",
        "host": "h1",
        "hostname": "web-1",
        "flavor": flavor,
        "metadata": {"COLOUR": "red"},
        "image_ref": IMAGE_ID,
        "config_drive": "",
        "key_data": "ssh-ed25519 AAAA",
        "system_metadata": {"image_os_command_line": "/bin/httpd -f"},
        "task_state": None,
        "user_data": None,
        "launched_at": None,
        "vm_state": vm_states.ACTIVE,
    }
    return objects.Instance(**(values | changes))


class Neutron:
    """Neutron's trunks, which may be more than this Neutron has."""

    def __init__(self) -> None:
        """Begin with none."""
        self.trunks: list[dict[str, Any]] = []
        self.fault: Exception | None = None
        self.asked: list[Any] = []

    def list_trunks(self, **query: Any) -> dict[str, Any]:
        """Return all, whatever was asked, or fail."""
        self.asked.append(query)
        if self.fault:
            raise self.fault
        return {"trunks": self.trunks}


class VirtAPI(fake.FakeVirtAPI):  # type: ignore[misc]
    """Nova's side, which tells what it was asked to wait for and may be late."""

    def __init__(self) -> None:
        """Begin punctual."""
        self.waited_for: list[Any] = []
        self.late = False
        self.failed = False
        self.reported = threading.Event()
        self.reported.set()

    @contextlib.contextmanager
    def wait_for_instance_event(
        self, instance: Any, event_names: Any, timeout: int = 300, error_callback: Any = None
    ) -> Iterator[None]:
        """Wait as a test wants it."""
        yield
        self.waited_for += event_names
        self.reported.wait(timeout=60)
        if self.failed and event_names:
            error_callback(f"network-vif-plugged-{event_names[0][1]}", instance)
        if self.late and event_names:
            raise exception.InstanceEventTimeout


class Tags:
    """The tags of one server; a fault keeps them as they are."""

    def __init__(self, *tags: str) -> None:
        """Begin with some."""
        self.tags = set(tags)
        self.fault: Exception | None = None

    def of(self, uuid: str) -> frozenset[str]:
        """Return them."""
        return frozenset(self.tags)

    def add(self, uuid: str, tag: str) -> None:
        """Add one."""
        if self.fault:
            raise self.fault
        self.tags.add(tag)

    def remove(self, uuid: str, tag: str) -> None:
        """Take one away."""
        self.tags.remove(tag)


class Call(NamedTuple):
    """One call of an action, its arguments by the names that the action gives them."""

    action: str
    arguments: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Return an argument."""
        try:
            return self.arguments[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Life:
    """All actions of the driver: each notes its call instead of asking an engine."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.calls: list[Call] = []
        self.fault: Exception | None = None

    def image_of(self, uuid: str) -> str:
        """Know no image."""
        return ""

    def of(self, kind: type[Any]) -> Any:
        """Return the double of one kind of action; a call must fit the signature of the kind."""
        return _Noted(kind, self)


class _Noted:
    def __init__(self, kind: type[Any], life: Life) -> None:
        self._kind = kind
        self._life = life

    def image_of(self, uuid: str) -> str:
        """Know no image."""
        return self._life.image_of(uuid)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Take an action of that kind."""
        signature = inspect.signature(getattr(self._kind, name))

        def take(*arguments: Any, **named: Any) -> None:
            given = dict(signature.bind(None, *arguments, **named).arguments)
            given.pop("self")
            self._life.calls.append(Call(f"{self._kind.__name__}.{name}", given))
            if self._life.fault:
                raise self._life.fault

        return take


class FixedHost:
    """A host that can enforce what flavors in these tests ask for."""

    def abilities(self, pids: int) -> Abilities:
        """Return its abilities."""
        return Abilities(disk_limit=False, pids=64, userns=True)


def with_parts(made: DockerDriver, **changes: Any) -> None:
    """Put doubles in the place of parts of a driver."""
    made._parts = replace(made._parts, **changes)
