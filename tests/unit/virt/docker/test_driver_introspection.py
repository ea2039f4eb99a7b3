# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from nova import exception

from novadocker import errors
from tests.unit.virt.docker.nova_side import UUID, instance, with_parts


class Consoles:
    """Consoles of which one may not be had."""

    def __init__(self, fault: Exception | None = None) -> None:
        """Begin with what goes wrong."""
        self.fault = fault
        self.closed = False

    def open(self, uuid: str, name: str) -> tuple[str, int]:
        """Open one."""
        if self.fault:
            raise self.fault
        assert (uuid, name) == (UUID, f"nova-{UUID}")
        return "192.0.2.7", 10000

    def close_all(self) -> None:
        """Close them."""
        self.closed = True


class Engine:
    """An engine without a rescue container."""

    def find(self, name: str) -> None:
        """Look for it."""


@pytest.fixture
def driver(docker_driver: Any) -> Any:
    """A driver with an engine."""
    with_parts(docker_driver, engine=Engine())
    return docker_driver


def test_a_console_has_an_address_and_a_port(driver: Any) -> None:
    """Nova's proxy connects there."""
    consoles = Consoles()
    with_parts(driver, consoles=consoles)
    console = driver.get_serial_console(None, instance())
    assert console.get_connection_info("t", "u") == {
        "host": "192.0.2.7",
        "port": 10000,
        "internal_access_path": None,
        "token": "t",
        "access_url": "u",
    }
    driver.cleanup_host("h1")
    assert consoles.closed


@pytest.mark.parametrize(
    ("ours", "novas"),
    [
        (errors.ConsoleUnavailable(name="nova-1", reason="it is exited"), "InstanceNotReady"),
        (errors.ContainerNotFound(name="nova-1"), "InstanceNotFound"),
        (errors.EngineUnavailable(url="unix:///e", reason="gone"), "HypervisorUnavailable"),
    ],
)
def test_a_console_that_cannot_be_had_is_refused(driver: Any, ours: Exception, novas: str) -> None:
    """As Nova's API knows to say it."""
    with_parts(driver, consoles=Consoles(ours))
    with pytest.raises(getattr(exception, novas)):
        driver.get_serial_console(None, instance())


def test_a_crash_dump_that_is_refused_says_why(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request's record has it."""

    def refuse(*_: Any) -> None:
        raise errors.CrashDumpRefused(name="nova-1", reason="it is exited")

    monkeypatch.setattr("novadocker.virt.docker.compute.introspection.crash", refuse)
    with pytest.raises(exception.TriggerCrashDumpNotSupported, match="it is exited"):
        driver.trigger_crash_dump(instance())


def test_diagnostics_of_a_server_without_a_container_are_none(driver: Any) -> None:
    """In both forms Nova says that it knows no such server."""
    for ask in (driver.get_diagnostics, driver.get_instance_diagnostics):
        with pytest.raises(exception.InstanceNotFound):
            ask(instance())


def test_the_host_has_an_uptime(driver: Any) -> None:
    """For ``openstack hypervisor show``."""
    assert " up " in driver.get_host_uptime()
