# SPDX-License-Identifier: Apache-2.0
import signal

import pytest

from novadocker.virt.docker.actions.crash_dump import handles


@pytest.mark.parametrize(
    ("caught", "handled"),
    [
        ("0000000000000000", False),
        ("0000000000000020", True),
        ("0000000180014a23", True),
        ("fffffffffffffedf", False),
    ],
)
def test_a_handler_is_seen_in_the_processs_status(caught: str, handled: bool) -> None:
    """SIGABRT is the sixth bit of the mask."""
    status = f"Name:\thttpd\nSigIgn:\tffffffffffffffff\nSigCgt:\t{caught}\nThreads:\t1\n"
    assert handles(status, signal.SIGABRT) is handled
