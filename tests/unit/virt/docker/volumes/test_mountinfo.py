# SPDX-License-Identifier: Apache-2.0
from novadocker.virt.docker.volumes.mountinfo import places_of

TEXT = b"""\
22 1 0:21 / / rw - overlay overlay rw
40 22 7:3 / /var/lib/data rw,nosuid - ext4 /dev/loop3 rw
41 22 7:30 / /other rw - ext4 /dev/loop30 rw
42 22 7:3 /below /with\\040space\\134 rw master:7 - ext4 /dev/loop3 rw
"""


def test_a_device_is_found_by_its_number() -> None:
    """At every place, with the kernel's escapes undone."""
    assert places_of(TEXT, 7, 3) == ["/var/lib/data", "/with space\\"]
    assert places_of(TEXT, 7, 4) == []
    assert places_of(b"", 7, 3) == []
