# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image inspect``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from osc_lib.command import command

from novadocker.client.commands import options


class InspectImage(command.ShowOne):
    """Show a container image's configuration, layers, and other images with the same layers."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Say what may be given."""
        parser = super().get_parser(prog_name)
        parser.add_argument("image", metavar="<image>", help="Image (name or ID)")
        parser.add_argument(
            "--check",
            action="store_true",
            help="Read and check all of it (default: only the configuration is read, where "
            "'import' left an index and Glance's store gives parts)",
        )
        options.add_platform(parser, "the image's, else this machine's")
        options.add_progress(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """Inspect the image and return a description in columns."""
        from novadocker.client.actions import inspect  # noqa: PLC0415 - see the package

        columns = inspect.run(self.app, parsed_args)
        return tuple(columns), tuple(columns.values())
