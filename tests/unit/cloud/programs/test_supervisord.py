# SPDX-License-Identifier: Apache-2.0
import os
import select
from types import SimpleNamespace

from novadocker.cloud.programs.supervisord import Poller


def test_a_pipe_that_nobody_reads_is_polled_once() -> None:
    """A descriptor with nothing but an error is let go, instead of told at every turn."""
    poller = Poller(SimpleNamespace())
    reader, writer = os.pipe()
    os.close(reader)
    try:
        poller.register_readable(writer)
        assert poller.poll(0) == ([], [])
        assert poller._poller.poll(0) == []
    finally:
        os.close(writer)


def test_what_can_be_read_is_told() -> None:
    """The end of a log is told, and supervisord lets go of the descriptor."""
    poller = Poller(SimpleNamespace())
    reader, writer = os.pipe()
    try:
        poller.register_readable(reader)
        os.close(writer)
        assert poller.poll(0) == ([reader], [])
        assert select.POLLHUP & poller.READ
    finally:
        os.close(reader)
