# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jsonschema
from nova.api.openstack.compute.schemas import server_diagnostics
from nova.api.openstack.compute.views.server_diagnostics import ViewBuilder

from novadocker.virt.docker.engine import Usage
from novadocker.virt.docker.translation.diagnostics import Diagnostics, seconds_since
from novadocker.virt.docker.wiring.counters import Counters, Traffic
from tests.unit.virt.docker import nova_side

MAC = "fa:16:3e:00:00:01"
USAGE = Usage(7, 3 * 2**20, 64 * 2**20, 2, 4096, None, 8192, 5)
PORT = Counters(MAC, "tap1", received=Traffic(10, 2, 0, 1), sent=Traffic(20, 3, 4, 0))
UNPLUGGED = Counters("fa:16:3e:00:00:02", "tap2")


def told() -> Diagnostics:
    """Return a server's diagnostics."""
    assert nova_side.UUID  # Nova's objects are registered
    return Diagnostics("running", config_drive=True, uptime=9, usage=USAGE, ports=(PORT, UNPLUGGED))


def test_the_old_form_is_flat() -> None:
    """What is not counted is left out."""
    assert told().as_dictionary() == {
        "cpu0_time": 7,
        "memory": 65536,
        "memory-rss": 3072,
        "processes": 2,
        "root_read": 4096,
        "root_write": 8192,
        "root_write_req": 5,
        "tap1_rx": 10,
        "tap1_rx_packets": 2,
        "tap1_rx_errors": 0,
        "tap1_rx_drop": 1,
        "tap1_tx": 20,
        "tap1_tx_packets": 3,
        "tap1_tx_errors": 4,
        "tap1_tx_drop": 0,
    }


def test_the_old_form_tells_the_rights() -> None:
    """It has room for words."""
    diagnostics = replace(told(), rights=("profile: baseline", "privileged: no"))
    assert diagnostics.as_dictionary()["rights"] == ["profile: baseline", "privileged: no"]


def test_the_new_form_is_novas() -> None:
    """As its API shows it; a port that is not plugged is there, without numbers."""
    shown = ViewBuilder().instance_diagnostics(told().as_object())
    assert (shown["state"], shown["hypervisor"], shown["hypervisor_os"]) == (
        "running",
        "docker",
        "linux",
    )
    assert (shown["uptime"], shown["config_drive"]) == (9, True)
    assert (shown["num_cpus"], shown["num_nics"], shown["num_disks"]) == (1, 2, 1)
    assert shown["memory_details"] == {"maximum": 64, "used": 3}
    assert shown["cpu_details"][0]["time"] == 7
    assert shown["disk_details"][0]["read_requests"] is None
    jsonschema.validate(shown, server_diagnostics.index_response_v248)
    plugged, unplugged = shown["nic_details"]
    assert (plugged["mac_address"], plugged["rx_octets"], plugged["tx_errors"]) == (MAC, 10, 4)
    assert unplugged["rx_octets"] is None


def test_seconds_are_counted_from_the_engines_own_words() -> None:
    """It writes nanoseconds; a clock that was put back makes no negative number."""
    moment = (datetime.now(UTC) - timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    assert 88 <= seconds_since(moment) <= 92
    assert seconds_since("2999-01-01T00:00:00Z") == 0
