# SPDX-License-Identifier: Apache-2.0
"""Remarks on servers' networks in nova-compute's log."""

import pytest

from novadocker.virt.docker.wiring.remarks import Remarks


def test_a_remark_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A remark found again each minute is in the log once, with the server's id."""
    remarks = Remarks()
    for _ in range(3):
        remarks.tell("u1", ["eth0 leaves out its route"])
    assert caplog.text.count("Network of server u1: eth0 leaves out its route") == 1


def test_a_remark_that_ceased_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    """A route mended and broken anew is news, as is a server's new start."""
    remarks = Remarks()
    remarks.tell("u1", ["bad"])
    remarks.tell("u1", [])
    remarks.tell("u1", ["bad"])
    remarks.forget("u1")
    remarks.tell("u1", ["bad"])
    assert caplog.text.count("Network of server u1: bad") == 3
