# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.supervision import starting


def test_a_failed_service_is_named_with_its_last_lines(layout: Layout, tmp_path: Path) -> None:
    """Whoever reads the message need not look for the log."""
    here = dataclasses.replace(layout, state=tmp_path)
    here.log.mkdir()
    here.log_of("glance").write_text("".join(f"line {number}\n" for number in range(100)))
    message = str(starting.failed(here, "glance", "ended"))
    assert "Service glance ended" in message
    assert "line 99" in message
    assert "line 50" not in message


def test_a_service_without_a_log_is_named_all_the_same(layout: Layout) -> None:
    """A program that cannot even be started writes nothing."""
    assert "has written none" in str(starting.failed(layout, "epmd", "ended"))
