# SPDX-License-Identifier: Apache-2.0
"""How tests read an archive."""

import io
import tarfile

import pytest

from novadocker.archive import Bounds, CheckedArchive, Platform
from novadocker.errors import ImageInvalid

HOST = Platform("amd64")


TAG = "nova/0f5c:1a2b"


def checked(data: bytes, *, chunk: int = 65536, bounds: Bounds | None = None) -> CheckedArchive:
    """Return the archive under test, fed in chunks."""
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    return CheckedArchive(chunks, image="0f5c", tag=TAG, platform=HOST, bounds=bounds)


def members_of(data: bytes) -> dict[str, bytes]:
    """Return names and contents, in order."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}


def reason(data: bytes, bounds: Bounds | None = None) -> str:
    """Return why an archive is refused; nothing the engine would act upon may come out."""
    given: list[bytes] = []
    with pytest.raises(ImageInvalid) as refused:
        given.extend(checked(data, bounds=bounds))
    assert b"manifest.json" not in b"".join(given)
    return str(refused.value)
