# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image check``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from osc_lib.cli import format_columns
from osc_lib.command import command

from novadocker.client import archives, origin, properties
from novadocker.client.commands import options
from novadocker.client.examination import Examination
from novadocker.client.progress import Progress


class CheckImage(command.ShowOne):
    """Check a container image as compute hosts do, without uploading it.

    Exit code 0 if it is sound; else 1, and the first fault is named.
    """

    auth_required = False

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Say what may be given."""
        parser = super().get_parser(prog_name)
        parser.add_argument("archive", metavar="<archive>", help=options.ORIGIN_HELP)
        options.add_platform(parser, "this machine's")
        options.add_progress(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """Check it and say what it is."""
        wanted = properties.platform(parsed_args.platform)
        named = origin.parse(parsed_args.archive)
        progress = Progress(wanted=parsed_args.progress)
        with archives.opened(named, wanted) as archive:
            size = getattr(archive, "size", None)
            chunks = progress.of(archive.chunks(), "Checking", size)
            examined = Examination(
                chunks, again=archive.again, what=str(named), platform=wanted
            ).run()
        columns = {
            "docker_id": examined.image.id,
            "platform": str(examined.platform),
            "distribution": f"{examined.release.distro} {examined.release.version}".strip(),
            "layers": len(examined.image.layers),
            "size": format_columns.SizeColumn(examined.size),
            "unpacked": format_columns.SizeColumn(examined.image.size),
        }
        return tuple(columns), tuple(columns.values())
