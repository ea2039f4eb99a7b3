# SPDX-License-Identifier: Apache-2.0
"""Images of registries, fetched by skopeo where no Docker Engine is at hand."""

import shutil
import subprocess
from pathlib import Path

from novadocker.archive import Platform
from novadocker.client.errors import OriginUnreadable
from novadocker.client.origin import Reference

PROGRAM = "skopeo"


def is_installed() -> bool:
    """Say whether skopeo is."""
    return shutil.which(PROGRAM) is not None


def fetch(origin: Reference, platform: Platform, directory: Path) -> Path:
    """Copy an image into an archive such as ``docker save`` writes.

    Args:
        origin: the image.
        platform: variant of the image.
        directory: an empty one, for the archive and what skopeo writes meanwhile.

    Returns:
        The archive.

    Raises:
        OriginUnreadable: skopeo or the registry refused.
    """
    archive = directory / "image.tar"
    done = subprocess.run(
        command(origin, platform, archive, directory), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise OriginUnreadable(origin=origin, reason=_reason(done.stderr))
    return archive


def command(
    origin: Reference, platform: Platform, archive: Path, directory: Path
) -> tuple[str, ...]:
    """Return skopeo's command line.

    Args:
        origin: the image.
        platform: variant of the image.
        archive: the file to write.
        directory: for temporary files.
    """
    # Not an OCI archive: what its config has no word for, a health check say, would be lost.
    return (
        *(PROGRAM, "--tmpdir", str(directory)),
        "--override-os",
        platform.os,
        "--override-arch",
        platform.architecture,
        "copy",
        "--quiet",
        *(("--src-tls-verify=false",) if origin.is_on_loopback else ()),
        str(origin),
        f"docker-archive:{archive}",
    )


def _reason(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "skopeo says nothing"
    # time="..." level=fatal msg="..."
    return last.partition("msg=")[2].strip('"') or last
