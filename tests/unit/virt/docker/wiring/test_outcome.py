# SPDX-License-Identifier: Apache-2.0
"""Refusals of the kernel: the plan's fault, or the host's."""

import errno

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from novadocker.virt.docker.wiring.outcome import Outcome


@pytest.mark.parametrize(
    "number", [errno.EINVAL, errno.ENETUNREACH, errno.EEXIST, errno.EADDRNOTAVAIL, errno.ENETDOWN]
)
def test_a_refused_addition_is_noted_and_no_more(number: int) -> None:
    """An address or a route that the kernel does not take leaves the others their turn."""
    outcome = Outcome()
    with outcome.adding("eth0: route to 10.9.0.0/16 by 224.0.0.1"):
        raise NetlinkError(number, "Nexthop has invalid gateway")
    told = "left out: the kernel refuses it (Nexthop has invalid gateway)"
    assert outcome == Outcome(refused=[f"eth0: route to 10.9.0.0/16 by 224.0.0.1 {told}"])


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOMEM, errno.ENODEV])
def test_a_fault_of_the_host_is_raised(number: int) -> None:
    """A privileged daemon without its capability must not look like a tenant's bad route."""
    with pytest.raises(NetlinkError), Outcome().adding("eth0: address 10.0.0.5/24"):
        raise NetlinkError(number, "no")


def test_a_removal_of_something_gone_is_no_change() -> None:
    """The container's own root may delete a route at the same moment."""
    outcome = Outcome()
    with outcome.removing("eth0: route to 10.9.0.0/16"):
        raise NetlinkError(errno.ESRCH, "No such process")
    with outcome.removing("eth0: address 10.0.0.5/24"):
        pass
    assert outcome == Outcome(changes=["eth0: address 10.0.0.5/24 removed"])
