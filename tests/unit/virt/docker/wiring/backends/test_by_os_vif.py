# SPDX-License-Identifier: Apache-2.0
"""Contrail's ports by the os-vif plugin of a distribution."""

import uuid
from pathlib import Path
from typing import Any

import os_vif
import pytest
from nova.network import model

from novadocker.virt.docker.conf.values import VRouterOptions
from novadocker.virt.docker.wiring import backends
from tests.unit.virt.docker.nova_side import instance

os_vif.objects.register_all()  # as nova-compute has it from os_vif.initialize()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Requests to os-vif."""
    asked: list[tuple[str, str, str]] = []

    def note(action: str) -> Any:
        return lambda vif, info: asked.append((action, vif.plugin, vif.vif_name))

    monkeypatch.setattr(os_vif, "plug", note("plug"))
    monkeypatch.setattr(os_vif, "unplug", note("unplug"))
    return asked


@pytest.fixture
def backend(tmp_path: Path) -> backends.Backend:
    """The backend, by option."""
    options = VRouterOptions(by_os_vif=True, ports_directory=tmp_path)
    return backends.load(options)["vrouter"]


PORT = str(uuid.uuid4())
VIF: Any = model.VIF(
    id=PORT,
    address="02:00:00:00:00:01",
    type="vrouter",
    devname=f"tap{PORT}"[:14],
    network=model.Network(id=str(uuid.uuid4())),
)


NIC: Any = None


def named(name: str) -> Any:
    """Return an instance with a tenant's name."""
    return instance(id=1, display_name=name, system_metadata={})


def test_the_plugin_is_asked(backend: backends.Backend, calls: list[tuple[str, str, str]]) -> None:
    """The backend goes by Contrail's plug-in's name, and reports no plugging."""
    backend.bind(named("web - 1"), VIF, NIC)
    backend.unbind(named("web - 1"), VIF)
    assert calls == [("plug", "vrouter", VIF["devname"]), ("unplug", "vrouter", VIF["devname"])]
    assert backend.reports_plugged is False


@pytest.mark.parametrize("name", ["a --oper=delete", "a\n--uuid=x", 'say "hi"'])
def test_a_name_that_its_script_reads_options_from_is_refused(
    backend: backends.Backend, calls: list[tuple[str, str, str]], name: str
) -> None:
    """A server could delete another's port."""
    with pytest.raises(ValueError, match="would read options out of the server's name"):
        backend.bind(named(name), VIF, NIC)
    assert calls == []
