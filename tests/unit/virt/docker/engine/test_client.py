# SPDX-License-Identifier: Apache-2.0
import gc
from pathlib import Path

import docker.errors
import pytest

from novadocker.errors import EngineUnavailable
from novadocker.virt.docker.engine import Connection, Engine


def test_a_socket_needs_no_tls() -> None:
    """Only TCP has certificates."""
    assert Connection("unix:///run/docker.sock").tls() is False


def test_tcp_is_verified_unless_told_otherwise() -> None:
    """Verification is on by default and off by ``insecure`` alone."""
    secure = Connection("tcp://h:2376").tls()
    insecure = Connection("tcp://h:2376", insecure=True).tls()
    assert not isinstance(secure, bool)
    assert not isinstance(insecure, bool)
    assert secure.verify is True
    assert insecure.verify is False


def test_a_certificate_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    """A wrong path in nova.conf is no late surprise."""
    gone = Connection("tcp://h:2376", cert_file=str(tmp_path / "c"), key_file=str(tmp_path / "k"))
    with pytest.raises(docker.errors.TLSParameterError):
        gone.tls()


# The SDK leaves a socket that cannot connect to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """The message names the address and what to look at."""
    url = f"unix://{tmp_path}/nobody.sock"
    with pytest.raises(EngineUnavailable, match=f"at {url} cannot be reached"):
        Engine(Connection(url)).info()
    gc.collect()
