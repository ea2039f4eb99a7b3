# SPDX-License-Identifier: Apache-2.0
"""Nova's functional tests of libvirt, with the hybrid driver in the place of libvirt's.

A process of its own: ``python -m tests.hybrid.nova_suite MODULE_OR_TEST...``. Nova's fixtures
take over the configuration, the database and the log of whatever runs them, and libvirt is
their own double. One line of JSON is printed for each test. ``--libvirt`` runs Nova's own
driver, to tell a fault of ours from one of the tests.
"""

import json
import os
import sys
import unittest
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nova.tests.functional  # noqa: F401 - first: it settles which kind of threads there are

# isort: split
from nova.api import wsgi
from nova.conf import CONF
from nova.tests import fixtures
from nova.tests.functional.libvirt import base
from nova.virt import driver as nova_driver
from nova.virt.libvirt.driver import LibvirtDriver

from novadocker.virt.docker.conf import options
from novadocker.virt.docker.discovery import show_to_nova
from novadocker.virt.hybrid import driver as hybrid

PREFIX = "nova.tests.functional.libvirt."
PASTE = Path(sys.prefix) / "etc/nova/api-paste.ini"
OWN = frozenset(
    [
        "drivers",
        "finder",
        "virtapi",
        "_machines",
        "_containers",
        "_parts",
        "_sides",
        "_disk",
        "_compute_event_callback",
    ]
)


class NoContainers(nova_driver.ComputeDriver):  # type: ignore[misc]
    """Docker's side of a host without containers.

    Args:
        virtapi: Nova's side.
        parts: ignored.
    """

    capabilities = hybrid.DockerDriver.capabilities

    def __init__(self, virtapi: Any, parts: Any) -> None:
        super().__init__(virtapi)

    def init_host(self, host: str) -> None:
        """Start nothing."""

    def cleanup_host(self, host: str) -> None:
        """Stop nothing."""

    def process_instances_at_startup(self, context: Any, instances: Any) -> Any:
        """Take no server: each is a machine."""
        assert not instances
        return instances

    def list_instances(self) -> list[str]:
        """Return no name."""
        return []

    def list_instance_uuids(self) -> list[str]:
        """Return no id."""
        return []

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        """Add the hypervisor type of containers."""
        return {"supported_instances": [("x86_64", "docker", "exe")]}

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        """Keep no image."""


def no_parts(_conf: Any, _virtapi: Any) -> Any:
    """Return the parts of a Docker driver whose engine has nothing."""
    return SimpleNamespace(
        engine=SimpleNamespace(
            listed=lambda _label: {},
            info=lambda: SimpleNamespace(root_directory=CONF.instances_path),
        ),
        host=SimpleNamespace(traits=lambda _runtimes: {"CUSTOM_DOCKER": True}),
        lifecycle=SimpleNamespace(image_of=lambda _uuid: ""),
        glance=None,
    )


def replace_libvirts_driver() -> None:
    """Let every test run the hybrid driver; attributes that tests poke at are libvirt's."""
    show_to_nova()
    options.register(CONF)
    hybrid.DockerDriver = NoContainers  # type: ignore[misc,assignment]
    hybrid.assemble = no_parts  # type: ignore[assignment]
    cls: Any = hybrid.HybridDriver

    def read(self: Any, name: str) -> Any:
        if "_machines" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.__dict__["_machines"], name)

    def write(self: Any, name: str, value: Any) -> None:
        object.__setattr__(self if name in OWN else self._machines, name, value)

    cls.__getattr__, cls.__setattr__ = read, write
    for name in ("_get_reserved_host_disk_gb_from_config", "_get_allocation_ratios"):
        setattr(cls, name, _of_libvirt(name))

    def configure(self: Any) -> None:
        self.flags(compute_driver="novadocker.virt.hybrid.HybridDriver")

    base.ServersTestBase._setup_compute_service = configure


def _of_libvirt(name: str) -> Any:
    def method(self: Any, *args: Any) -> Any:
        return getattr(LibvirtDriver, name)(self._machines, *args)

    return method


def prepare_nova() -> None:
    """Let Nova's tests run from a wheel, beside libraries newer than Nova's own."""
    load = wsgi.Loader.__init__

    def find_paste(self: Any, config_path: str | None = None) -> None:
        load(self, config_path or str(PASTE))

    strict = fixtures.WarningsFixture.setUp

    def accept_warnings(self: Any) -> None:
        strict(self)
        warnings.simplefilter("ignore")

    wsgi.Loader.__init__ = find_paste
    fixtures.WarningsFixture.setUp = accept_warnings


class Result(unittest.TestResult):
    """Prints each test's outcome as a line of JSON."""

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Print a success."""
        self._print(test, "ok")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        """Print a skip."""
        self._print(test, "skipped", reason)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """Print a failure."""
        super().addFailure(test, err)
        self._print(test, "failed", self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """Print an error."""
        super().addError(test, err)
        self._print(test, "failed", self.errors[-1][1])

    def _print(self, test: unittest.TestCase, outcome: str, detail: str = "") -> None:
        line = {"test": test.id().removeprefix(PREFIX), "outcome": outcome, "detail": detail}
        sys.__stdout__.write(json.dumps(line) + "\n")
        sys.__stdout__.flush()


def main(words: list[str]) -> None:
    """Run tests by name.

    Args:
        words: modules or tests below nova.tests.functional.libvirt; ``--libvirt`` first runs
            them with Nova's own driver.
    """
    os.environ.setdefault("OS_NOVA_DISABLE_EVENTLET_PATCHING", "1")
    prepare_nova()
    if words[:1] == ["--libvirt"]:
        words = words[1:]
    else:
        replace_libvirts_driver()
    suite = unittest.defaultTestLoader.loadTestsFromNames([PREFIX + name for name in words])
    suite.run(Result())


if __name__ == "__main__":
    main(sys.argv[1:])
