# SPDX-License-Identifier: Apache-2.0
import re
import time

import pytest

from novadocker.virt.docker.actions.stopwatch import Stopwatch


def test_parts_add_up_to_the_whole() -> None:
    """Each mark ends the part that began with the last."""
    began = time.monotonic()
    watch = Stopwatch()
    time.sleep(0.02)
    watch.mark("first")
    watch.mark("second")
    assert watch.parts["first"] >= 0.02
    assert sum(watch.parts.values()) == pytest.approx(time.monotonic() - began, abs=0.005)


def test_a_part_marked_again_grows() -> None:
    """A step that comes twice is counted twice."""
    watch = Stopwatch()
    watch.mark("wiring")
    time.sleep(0.01)
    watch.mark("wiring")
    assert list(watch.parts) == ["wiring"]
    assert watch.parts["wiring"] >= 0.01


def test_it_reads_as_pairs_in_order() -> None:
    """Programs read this line of nova-compute's log."""
    watch = Stopwatch()
    watch.mark("image")
    watch.mark("container")
    assert re.fullmatch(r"image=0\.\d{4} container=0\.\d{4}", str(watch))
