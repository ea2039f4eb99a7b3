# SPDX-License-Identifier: Apache-2.0
"""Backends of other packages."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova.network import model

from novadocker.errors import BackendUnusable, VifRefused, WiringError
from novadocker.virt.docker.conf.values import VRouterOptions
from novadocker.virt.docker.wiring import Wiring, backends, privileged
from novadocker.virt.docker.wiring.plan import make_plan

MODULE = """
from novadocker.virt.docker.wiring.backends import Backend

class Macvlan(Backend):
    def bind(self, instance, vif, nic): return False
    def unbind(self, instance, vif): raise RuntimeError
    def warm_up(self): pass

class Half(Backend):
    def bind(self, instance, vif, nic): return False

def nothing(): return None
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """How to install a package with entry points."""

    def put(**points: str) -> None:
        (tmp_path / "third_party_wiring.py").write_text(MODULE)
        info = tmp_path / "example_wiring-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: example-wiring\nVersion: 1.2\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        text = "\n".join(["[novadocker.wiring_backends]", *lines, ""])
        (info / "entry_points.txt").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "third_party_wiring", raising=False)

    return put


def test_ours_are_there_without_any_package() -> None:
    """The driver's own backends are there without any package."""
    wiring = Wiring(backends.load(VRouterOptions()))
    assert wiring.vif_types == ("ovs", "vrouter", "tap")
    assert wiring.silent_vif_types == {"vrouter"}


def test_a_package_adds_a_vif_type(install: Install) -> None:
    """Ports of a package's VIF type are accepted, and named in refusals of others."""
    install(macvlan="third_party_wiring:Macvlan")
    wiring = Wiring(backends.load(VRouterOptions()))
    port: Any = model.VIF(
        id="p1", address="fa:16:3e:00:00:01", type="macvlan", network=model.Network(id="n")
    )
    (nic,) = make_plan([port], vif_types=wiring.vif_types, hostname="web").nics
    assert nic.vif_type == "macvlan"
    with pytest.raises(VifRefused, match="backends for ovs, vrouter, tap, macvlan"):
        make_plan([{**port, "type": "dvs"}], vif_types=wiring.vif_types, hostname="web")


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"macvlan": "third_party_wiring:Macvlann"}, "AttributeError: .*Macvlann"),
        ({"macvlan": "no_such_module:Macvlan"}, "ModuleNotFoundError: .*no_such_module"),
        ({"macvlan": "third_party_wiring:Half"}, "TypeError: .*unbind"),
        ({"macvlan": "third_party_wiring:nothing"}, r"it makes no novadocker\..*\.Backend"),
        ({"ovs": "third_party_wiring:Macvlan"}, "another backend serves that VIF type"),
    ],
)
def test_one_that_cannot_be_used_is_told_at_the_start(
    install: Install, point: dict[str, str], words: str
) -> None:
    """A backend that fails to load is named by VIF type, origin and reason."""
    install(**point)
    ((vif_type, value),) = point.items()
    with pytest.raises(
        BackendUnusable, match=f"VIF type {vif_type}, {value} of example-wiring 1.2, .*{words}"
    ):
        backends.load(VRouterOptions())


def test_whatever_one_raises_is_a_wiring_error(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any exception of a backend becomes a WiringError; a class stands for missing words."""
    install(macvlan="third_party_wiring:Macvlan")
    monkeypatch.setattr(privileged, "withdraw", lambda devices: devices)
    wiring = Wiring(backends.load(VRouterOptions()))
    port = model.VIF(id="p1", type="macvlan")
    with pytest.raises(WiringError, match="Port p1 cannot be wired: RuntimeError"):
        wiring.unwire(SimpleNamespace(uuid="u"), [port])
