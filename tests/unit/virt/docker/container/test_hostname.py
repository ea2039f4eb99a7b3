# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.errors import EngineError
from novadocker.virt.docker.container import hostname
from novadocker.virt.docker.engine import Container, State

CONTAINER = Container("c" * 64, "nova-1", {}, State.RUNNING, pid=4711, hostname="web")


@pytest.mark.parametrize(
    ("name", "told"),
    [("web", []), ("renamed", ["renamed"]), ("é" * 35, ["é" * 32])],
)
def test_only_another_name_is_told_to_the_kernel(
    monkeypatch: pytest.MonkeyPatch, name: str, told: list[str]
) -> None:
    """Most servers keep their name, and need no privileged call."""
    names: list[str] = []
    monkeypatch.setattr(hostname.process, "set_hostname", lambda *given: names.append(given[2]))
    hostname.follow(CONTAINER, name)
    assert names == told


def test_a_name_that_the_kernel_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the container and the kernel's reason."""

    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(hostname.process, "set_hostname", refuse)
    with pytest.raises(EngineError, match=r"rename container nova-1: .*Invalid argument"):
        hostname.follow(CONTAINER, "renamed")
