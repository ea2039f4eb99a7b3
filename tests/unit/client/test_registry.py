# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.archive import Platform
from novadocker.client import registry
from novadocker.client.origin import Reference


def test_skopeo_is_asked_for_the_wanted_variant(tmp_path: Path) -> None:
    """And verifies the registry, unless that is this machine's own."""
    archive = tmp_path / "image.tar"
    words = registry.command(
        Reference("registry.example/web:1"), Platform("arm64"), archive, tmp_path
    )
    assert words[:7] == (
        "skopeo",
        "--tmpdir",
        str(tmp_path),
        "--override-os",
        "linux",
        "--override-arch",
        "arm64",
    )
    assert words[-2:] == ("docker://registry.example/web:1", f"docker-archive:{archive}")
    assert "--src-tls-verify=false" not in words
    own = registry.command(Reference("localhost:5000/web"), Platform("arm64"), archive, tmp_path)
    assert "--src-tls-verify=false" in own


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ('time="x" level=fatal msg="pinging registry: refused"\n', "pinging registry: refused"),
        ("unknown flag\n", "unknown flag"),
        ("", "skopeo says nothing"),
    ],
)
def test_skopeos_last_words_are_the_reason(output: str, reason: str) -> None:
    """Without its log's decoration."""
    assert registry._reason(output) == reason
