# SPDX-License-Identifier: Apache-2.0

import pytest

from novadocker.virt.docker.files.entry import LENGTH, Entry, Kind
from novadocker.virt.docker.files.fault import Fault


def _round(entry: Entry) -> Entry:
    text = entry.encode()
    (size,) = LENGTH.unpack(text[: LENGTH.size])
    assert size == len(text) - LENGTH.size
    return Entry.decode(text[LENGTH.size :])


@pytest.mark.parametrize("name", [".wh.x", ".wh..wh..opq", "a\nb", "caf\udce9", " ", "é"])
def test_name_survives(name: str) -> None:
    """A record keeps each name that a file may have, those that mean something to layers too."""
    entry = Entry(Kind.FILE, name, mode=0o104755, mtime=1_700_000_000_123_456_789, size=3)
    assert _round(entry) == entry


def test_attributes_survive() -> None:
    """A record keeps the bytes of extended attributes."""
    entry = Entry(Kind.FILE, "x", attributes={"user.color": b"\x00\xff", "user.empty": b""})
    assert _round(entry) == entry


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "a\0b"])
def test_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """A record whose name is no single component of a path is refused."""
    with pytest.raises(Fault, match="named"):
        _round(Entry(Kind.FILE, name))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"kind":"door"}', b'{"kind":"file","colour":1}', b"\xff"]
)
def test_no_record_is_refused(text: bytes) -> None:
    """Bytes that are no record are refused."""
    with pytest.raises(Fault, match="cannot be read"):
        Entry.decode(text)
