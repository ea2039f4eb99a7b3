# SPDX-License-Identifier: Apache-2.0
from typing import Any

from novadocker.virt.docker.wiring.counters import Counters, Traffic, counters_of

VIF = {"id": "70a70000-0000-4000-8000-000000000001", "address": "fa:16:3e:00:00:01"}
STATS = {
    "rx_bytes": 1,
    "rx_packets": 2,
    "rx_errors": 3,
    "rx_dropped": 4,
    "tx_bytes": 5,
    "tx_packets": 6,
    "tx_errors": 7,
    "tx_dropped": 8,
}


class Link(dict[str, Any]):
    """A netlink message."""

    def get_attr(self, name: str) -> Any:
        """Return an attribute."""
        return self.get(name)


def test_what_the_host_sends_the_server_receives() -> None:
    """The directions are the server's."""
    found = Counters.parse(VIF, Link(IFLA_STATS64=STATS))
    assert found.received == Traffic(octets=5, packets=6, errors=7, drops=8)
    assert found.sent == Traffic(octets=1, packets=2, errors=3, drops=4)
    assert found.device == "tap70a70000-00"


def test_a_port_that_is_not_plugged_has_no_counters() -> None:
    """The kernel is asked, without any right, and knows no such device."""
    (found,) = counters_of([VIF])
    assert found == Counters(VIF["address"], "tap70a70000-00")
