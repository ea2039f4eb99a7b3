# SPDX-License-Identifier: Apache-2.0
"""Containers whose files move, and the privileged daemon that moves them."""

import gc
import sys
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from oslo_config import cfg

from novadocker.virt.docker.engine import Connection, Engine
from novadocker.virt.docker.files import directories, privileged
from tests.engine.migration.box import Box
from tests.support.layered import Saved, shell
from tests.support.layered import tar as tar_of


@contextmanager
def _pipes_left_open() -> Iterator[None]:
    # oslo.privsep leaves it to the garbage collector to close them.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        for thread in threading.enumerate():
            if thread.name == "fd_logger" and not privileged.context.channel:
                thread.join(timeout=10)
        gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    context = privileged.context
    helper = str(Path(sys.prefix) / "bin" / "privsep-helper")
    cfg.CONF.set_override("helper_command", helper, group=context.cfg_section)
    with _pipes_left_open():
        directories.measure(tmp_path_factory.mktemp("first"))
    yield
    with _pipes_left_open():
        context.stop()
    cfg.CONF.clear_override("helper_command", group=context.cfg_section)


@pytest.fixture
def make_box(engine_socket: Path) -> Iterator[Callable[..., Box]]:
    """How to make a container that does not run yet; it goes with its test."""
    url = f"unix://{engine_socket}"
    api = docker.APIClient(base_url=url, version="auto", timeout=60)
    engine = Engine(Connection(url, timeout=60))
    files_of_image = {"home/app": b"app", "opt/x/9": b"nine", "srv/web/index": b"index"}
    image = Saved([shell(), tar_of(files_of_image)], tag="box:latest")
    engine.load_image([image.archive()])

    made = []

    def make() -> Box:
        name = f"box-{uuid.uuid4().hex}"
        made.append(name)
        config = {"Image": "box:latest", "Volumes": {"/data": {}}, "NetworkDisabled": True}
        api.create_container_from_config(config, name)
        return Box(engine, api, name)

    yield make
    for name in made:
        engine.remove(name)
    api.close()
    engine._api.close()
