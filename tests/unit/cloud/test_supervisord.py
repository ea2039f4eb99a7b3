# SPDX-License-Identifier: Apache-2.0
import os
import select
from types import SimpleNamespace

from novadocker.cloud.programs.supervisord import Poller


def test_a_pipe_that_nobody_reads_is_polled_once() -> None:
    """It has nothing to tell but its error, and would be told of at every turn."""
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
    """A log that ended is told of too: supervisord itself lets go of it."""
    poller = Poller(SimpleNamespace())
    reader, writer = os.pipe()
    try:
        poller.register_readable(reader)
        os.close(writer)
        assert poller.poll(0) == ([reader], [])
        assert select.POLLHUP & poller.READ
    finally:
        os.close(reader)
