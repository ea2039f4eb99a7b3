# SPDX-License-Identifier: Apache-2.0
"""Nova's own tests of drivers (``_VirtDriverTestCase``) with ours, on a real engine.

A process of its own: Nova's test fixtures take over the configuration, the database and the
log of whatever runs them. It prints one line of JSON for each test.
"""

import json
import logging
import os
import sys
import tempfile
import unittest
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

# First of all of Nova: it settles that there are native threads, and no eventlet.
from nova.tests.unit import utils  # isort: split

from nova import objects
from nova.compute import power_state
from nova.tests.unit.virt import test_virt_drivers as theirs

from novadocker.gate import start_gate
from novadocker.virt.docker.actions import crash_dump
from novadocker.virt.docker.compute import moves
from novadocker.virt.docker.compute.assembly import assemble, edges_of
from novadocker.virt.docker.compute.migrations import Route
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.driver import DockerDriver
from novadocker.virt.docker.engine import Connection, Engine
from novadocker.virt.docker.privileged import context as privileged
from novadocker.virt.docker.wiring import Wiring
from tests.support.eventually import eventually

ENGINE = "NOVADOCKER_TEST_ENGINE"
IMAGE = "NOVADOCKER_TEST_IMAGE"
GATE = "NOVADOCKER_TEST_GATE"
HOST = "myhostname"
SMALL = {"vcpus": 1, "memory_mb": 64, "root_gb": 1, "ephemeral_gb": 0, "swap": 0}


class Images:
    """Stands in for Glance: the engine has every image already."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def adapt(self, info: Any) -> None:
        """Mind no kind of engine."""

    def ensure(self, context: Any, image_meta: Any, boot: Any = None) -> Any:
        """Return the one image."""
        return self._engine.find_image(os.environ[IMAGE])


def make_driver(virtapi: Any) -> DockerDriver:
    """Make the driver as nova-compute does, but without a network and without Glance."""
    options.register(theirs.CONF)
    theirs.CONF.set_override("host_url", os.environ[ENGINE], group="docker")
    theirs.CONF.set_override("instance_name_template", "nova-%(uuid)s")
    theirs.CONF.set_override("shutdown_timeout", 1)
    theirs.CONF.set_override("instances_path", tempfile.mkdtemp(dir=instances()))
    theirs.CONF.set_override("host", HOST)
    privileged.context.set_client_mode(False)
    wiring = mock.create_autospec(Wiring, instance=True)
    wiring.vif_types, wiring.silent_vif_types = ("ovs", "bridge"), ()
    wiring.joined.return_value = frozenset()
    edges = edges_of(theirs.CONF)
    images: Any = Images(edges.engine)
    edges = replace(edges, images=images, wiring=wiring)
    return DockerDriver(virtapi, assemble(theirs.CONF, virtapi, edges))


def instances() -> Path:
    """Return the directory for the servers' files, which their root may traverse."""
    path = Path(os.environ["TMPDIR"])
    path.chmod(0o711)
    return path


class DockerDriverTestCase(theirs._VirtDriverTestCase, theirs.test.TestCase):
    """All of Nova's tests, with the driver initialized and servers that fit on any machine.

    Where a test hands over less than nova-compute does, it is overridden to hand over all.
    """

    def setUp(self) -> None:
        """Make the driver ready, and take its containers away at the end."""
        self.driver_module = f"{__name__}.{make_driver.__name__}"
        super().setUp()
        # Nova's fixture makes faults of what newer libraries than its own warn of.
        warnings.simplefilter("ignore")
        # Nova's stand-in for Glance does not look at what it is sent.
        self.image_service.update = self._upload
        # One test reads this of any driver before it calls it.
        self.connection.active_migrations = {}
        self.connection.init_host(HOST)
        self.addCleanup(self._clean)

    def test_get_console_output(self) -> None:
        """Bytes, which nova-compute takes as well as text."""
        instance, _ = self._get_running_instance()
        assert isinstance(self.connection.get_console_output(self.ctxt, instance), bytes)

    def test_rescue(self) -> None:
        """With the image that nova-compute chose."""
        self._rescued()

    def test_unrescue_rescued_instance(self) -> None:
        """With the image that nova-compute chose."""
        self.connection.unrescue(self.ctxt, self._rescued())

    def test_trigger_crash_dump(self) -> None:
        """As soon as the server's process has its handler, as a tenant who sees it run."""
        instance, _ = self._get_running_instance()
        engine = Engine(Connection(os.environ[ENGINE]))
        status = Path(f"/proc/{engine.inspect(instance.name).pid}/status")
        assert eventually(lambda: crash_dump.handles(status.read_text(), crash_dump.SIGNAL))
        self.connection.trigger_crash_dump(instance)

    def test_migrate_disk_and_power_off(self) -> None:
        """To another flavor on this host, as a migration that has been claimed says."""
        instance, network_info = self._get_running_instance()
        larger = utils.get_test_flavor(
            options={**SMALL, "name": "larger", "flavorid": "larger", "memory_mb": 128}
        )
        with mock.patch.object(moves, "route_of", return_value=Route("m1", HOST)):
            self.connection.migrate_disk_and_power_off(
                self.ctxt, instance, "127.0.0.1", larger, network_info
            )

    # These hand over no context and no volume, of which Cinder is asked; tests/engine/volumes
    # attaches real devices.

    def test_attach_detach_volume(self) -> None:
        """Left out."""
        self.skipTest("hands over no volume that Cinder knows")

    def test_attach_detach_different_power_states(self) -> None:
        """Left out."""
        self.skipTest("hands over no volume that Cinder knows")

    def test_swap_volume(self) -> None:
        """Left out."""
        self.skipTest("hands over no volume that Cinder knows")

    def test_get_device_name_for_instance(self) -> None:
        """Left out."""
        self.skipTest("hands over no volume that Cinder knows")

    @theirs.catch_notimplementederror
    def test_live_migration(self) -> None:
        """Nova's own is the only one that would not take this for an answer."""
        super().test_live_migration()

    def _rescued(self) -> Any:
        instance, network_info = self._get_running_instance()
        image = utils.get_test_image_object(None, instance)
        self.connection.rescue(
            self.ctxt, instance, network_info, image, "", None, objects.ShareMappingList()
        )
        return instance

    def _get_running_instance(self, obj: bool = True) -> tuple[Any, Any]:
        flavor = utils.get_test_flavor(options=SMALL)
        instance = utils.get_test_instance(flavor=flavor, obj=True)
        instance.host = HOST
        instance.hostname = "server"
        instance.power_state = power_state.RUNNING
        instance.save()
        network_info = utils.get_test_network_info()
        network_info[0]["active"] = True
        instance.info_cache.network_info = network_info
        image_meta = utils.get_test_image_object(None, instance)
        self.connection.spawn(
            self.ctxt, instance, image_meta, [], "herp", {}, network_info=network_info
        )
        return instance, network_info

    def _upload(
        self, context: Any, image_id: str, metadata: Any, data: Any = None, **_: Any
    ) -> dict[str, Any]:
        size = sum(map(len, iter(lambda: data.read(1 << 20), b"")))
        return {"id": image_id, "size": size, **metadata}

    def _clean(self) -> None:
        self.connection.cleanup_host(HOST)
        engine = Engine(Connection(os.environ[ENGINE], timeout=60))
        for name in engine.labels_by_name("novadocker.instance"):
            engine.remove(name)


class Unimplemented(logging.Handler):
    """Hears what Nova's tests only log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.methods: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the method."""
        if "does not implement" in str(record.msg):
            self.methods.append(record.args["method"])  # type: ignore[index,call-overload]


class Result(unittest.TestResult):
    """Tells of each test as it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.unimplemented = Unimplemented()

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Listen anew."""
        super().startTest(test)
        self._known = len(self.failures) + len(self.errors)
        self.unimplemented.methods.clear()

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Print what came of it."""
        super().stopTest(test)
        faults = [text for _, text in (*self.failures, *self.errors)]
        told = {
            "test": test.id().rpartition(".")[2],
            "fault": "\n".join(faults[self._known :]),
            "unimplemented": self.unimplemented.methods,
        }
        print(json.dumps(told), file=sys.__stdout__, flush=True)


def main() -> None:
    """Run all of them, or those that are named."""
    start_gate.PROGRAM = Path(os.environ[GATE])
    result = Result()
    theirs.LOG.logger.addHandler(result.unimplemented)
    loader = unittest.TestLoader()
    names = sys.argv[1:] or loader.getTestCaseNames(DockerDriverTestCase)
    unittest.TestSuite(map(DockerDriverTestCase, names)).run(result)


if __name__ == "__main__":
    main()
