# SPDX-License-Identifier: Apache-2.0
import dataclasses
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from novadocker.cloud import up
from novadocker.cloud.config.common import Common
from novadocker.cloud.supervision import services
from novadocker.cloud.supervision.service import Service

COMMON_SERVICES = {
    "mariadb",
    "epmd",
    "rabbitmq",
    "keystone",
    "glance",
    "placement",
    "neutron",
    "nova-api",
    "nova-metadata",
    "nova-conductor",
    "nova-scheduler",
    "nova-serialproxy",
    "containerd",
    "dockerd",
    "nova-compute",
    "nova-compute@fake",
    "heat-engine",
    "heat-api",
    "heat-api-cfn",
    "horizon",
}
NETWORK_SERVICES = {
    "ovn": {
        "ovn-nb",
        "ovn-sb",
        "ovn-northd",
        "ovsdb",
        "vswitchd",
        "ovn-controller",
        "ovn-metadata",
    },
    "ovs": {
        "ovsdb",
        "vswitchd",
        "neutron-rpc",
        "neutron-openvswitch",
        "neutron-l3",
        "neutron-dhcp",
        "neutron-metadata",
    },
    "contrail": {"vrouter-agent"},
}


@pytest.fixture(params=["ovn", "ovs", "contrail"])
def common(
    common: Common, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Common:
    """A cloud on paper with each of the networks in turn."""
    monkeypatch.setattr("novadocker.cloud.underlay.switch.datapath", lambda _layout: "netdev")
    settings = dataclasses.replace(common.layout.settings, network=request.param)
    layout = dataclasses.replace(common.layout, settings=settings)
    return dataclasses.replace(common, layout=layout)


def _by_name(common: Common) -> dict[str, Service]:
    return {service.name: service for service in services.table(common)}


def test_every_service_is_in_the_table_once(common: Common) -> None:
    """The fake host adds a nova-compute and nothing else."""
    names = [service.name for service in services.table(common)]
    network = NETWORK_SERVICES[common.layout.settings.network]
    assert sorted(names) == sorted(COMMON_SERVICES | network)


def test_every_step_that_is_waited_for_exists(
    common: Common, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services and preparations form one order without gaps or circles."""
    monkeypatch.setattr(up, "_prepare_engine", lambda _layout, _host: None)
    steps = up._steps(common, services.table(common))
    names = {step.name for step in steps}
    assert {name for step in steps for name in step.after} <= names
    order = list(TopologicalSorter({step.name: step.after for step in steps}).static_order())
    assert order.index("identity") < order.index("nova-scheduler")


def test_what_others_need_is_stopped_after_them(common: Common) -> None:
    """No service outlives, in the order of stopping, a service that it waited for."""
    table = _by_name(common)
    for service in table.values():
        for name in service.after:
            if name in table:
                assert service.wave <= table[name].wave


def test_all_ends_within_the_bound(common: Common) -> None:
    """Even if nothing obeys, the waves' patience sums up to less than 30 seconds."""
    patience: dict[int, int] = {}
    for service in services.table(common):
        patience[service.wave] = max(patience.get(service.wave, 0), service.patience)
    assert sum(patience.values()) < 27


def test_a_fingerprint_tells_of_changed_configuration(common: Common) -> None:
    """The same configuration has the same fingerprint, another has another."""
    service = _by_name(common)["glance"]
    same = dataclasses.replace(service)
    path, _ = service.files
    changed = dataclasses.replace(service, files={**service.files, path: "[DEFAULT]\n"})
    assert service.fingerprint == same.fingerprint != changed.fingerprint


def test_a_fingerprint_tells_of_changed_sources(tmp_path: Path, common: Common) -> None:
    """New code of ours means a restart of what runs it."""
    source = tmp_path / "code.py"
    service = dataclasses.replace(_by_name(common)["glance"], sources=(source,))
    source.write_text("a = 1\n")
    before = service.fingerprint
    source.write_text("a = 2\n")
    assert service.fingerprint != before


def test_no_engine_listens_on_a_port(common: Common) -> None:
    """The Docker API, which gives root, is on a Unix socket of ours only."""
    argv = _by_name(common)["dockerd"].command.argv
    hosts = [argument for argument in argv if argument.startswith("--host")]
    assert hosts == ["--host=unix:///state/run/docker1/docker.sock"]
