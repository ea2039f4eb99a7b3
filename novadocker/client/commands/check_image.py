# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image check``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from osc_lib.command import command

from novadocker.client.commands import options


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
        """Check the archive and return a description in columns."""
        from novadocker.client.actions import check  # noqa: PLC0415 - see the package

        columns = check.run(parsed_args)
        return tuple(columns), tuple(columns.values())
