# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.client.os_release import Release, of_files, parse


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ('PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n', Release("debian", "12")),
        ("ID='alpine'\nVERSION_ID=3.20.1", Release("alpine", "3.20.1")),
        ("ID=arch\n", Release("arch")),
        ("ID=Fedora\n", Release("fedora")),
        ("# ID=no\nno assignment\n", Release()),
        ('ID="never closed\nVERSION_ID=1', Release("", "1")),
        ("ID=two words\nVERSION_ID='$(rm -rf /)'", Release()),
        (f"ID={'x' * 65}", Release()),
        ("", Release()),
    ],
)
def test_distribution_and_version_are_read_or_left_out(text: str, release: Release) -> None:
    """What is no plain word never becomes a property."""
    assert parse(text) == release


def test_the_file_in_etc_counts_before_the_vendors() -> None:
    """So os-release(5) has it."""
    files = {"usr/lib/os-release": b"ID=vendor", "etc/os-release": b"ID=owner"}
    assert of_files(files) == Release("owner")
    assert of_files({"usr/lib/os-release": b"ID=vendor\xff"}) == Release()
    assert of_files({}) == Release()
