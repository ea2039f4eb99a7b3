# SPDX-License-Identifier: Apache-2.0
"""An archive is checked as hosts do it."""

import argparse
from typing import Any

from osc_lib.cli import format_columns

from novadocker.client import archives, origin, properties
from novadocker.client.examination import Examination
from novadocker.client.progress import Progress


def run(parsed_args: argparse.Namespace) -> dict[str, Any]:
    """Check one.

    Args:
        parsed_args: the command's.

    Returns:
        Columns.
    """
    wanted = properties.platform(parsed_args.platform)
    named = origin.parse(parsed_args.archive)
    progress = Progress(wanted=parsed_args.progress)
    with archives.opened(named, wanted) as archive:
        size = getattr(archive, "size", None)
        chunks = progress.of(archive.chunks(), "Checking", size)
        examined = Examination(chunks, again=archive.again, what=str(named), platform=wanted).run()
    return {
        "docker_id": examined.image.id,
        "platform": str(examined.platform),
        "distribution": f"{examined.release.distro} {examined.release.version}".strip(),
        "layers": len(examined.image.layers),
        "size": format_columns.SizeColumn(examined.size),
        "unpacked": format_columns.SizeColumn(examined.image.size),
    }
