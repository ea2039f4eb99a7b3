# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.cloud.errors import HostUnfit
from novadocker.cloud.machine import lock


def test_a_second_command_is_refused_while_the_first_works(tmp_path: Path) -> None:
    """Two at once would each think the ports free; afterwards the next may."""
    with (
        lock.held(tmp_path),
        pytest.raises(HostUnfit, match="another novadocker-cloud"),
        lock.held(tmp_path),
    ):
        pass
    with lock.held(tmp_path):
        pass
