# SPDX-License-Identifier: Apache-2.0
"""An engine of our own for the whole session, and nothing of it left afterwards.

``NOVADOCKER_ENGINE_RELEASE=28.5`` has the suite run on that release in place of the machine's own.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.machine import packages
from tests.support import engine_release, own_engine

RunningEngine = Callable[[], AbstractContextManager[EnginePaths]]


@pytest.fixture(scope="session", autouse=True)
def _programs() -> Iterator[None]:
    """The engine and the switch: this suite may be the first on a machine."""
    packages.ensure()
    release = engine_release.chosen()
    with release.first_in_path() if release else nullcontext():
        yield


@contextmanager
def _running_engine() -> Iterator[EnginePaths]:
    release = engine_release.chosen()
    with own_engine.prepared() as paths, own_engine.serving(paths) as version:
        if release and version != release.version():
            # PATH has another first: all results would be those of that engine.
            pytest.exit(f"engine {version} was started in place of {release}", returncode=1)
        yield paths


@pytest.fixture(scope="session")
def engine_socket() -> Iterator[Path]:
    """The Unix socket of a Docker Engine that has user namespaces and no network of its own."""
    with _running_engine() as paths:
        yield paths.socket


@pytest.fixture(scope="session")
def running_engine() -> RunningEngine:
    """How to run a further engine, for a test that wants to see it end."""
    return _running_engine
