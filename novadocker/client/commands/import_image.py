# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image import``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from osc_lib.cli import parseractions
from osc_lib.command import command

from novadocker.client.commands import options


class ImportImage(command.ShowOne):
    """Check a container image and upload the image with the properties for Nova.

    Where anything goes wrong, Glance keeps nothing of it.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Say what may be given."""
        parser = super().get_parser(prog_name)
        parser.add_argument("archive", metavar="<archive>", help=options.ORIGIN_HELP)
        parser.add_argument(
            "--name",
            metavar="<name>",
            help="Name in Glance (default: the file's without its ending, or the image's)",
        )
        options.add_platform(parser, "this machine's")
        parser.add_argument(
            "--property",
            metavar="<key=value>",
            dest="properties",
            action=parseractions.KeyValueAction,
            default={},
            help="A property, also in place of one that is found out (repeat for several)",
        )
        parser.add_argument(
            "--tag",
            metavar="<tag>",
            dest="tags",
            action="append",
            help="A tag of the Glance image (repeat for several)",
        )
        parser.add_argument(
            "--min-disk",
            metavar="<disk-gb>",
            type=_size,
            help="Root disk that a server needs, in GiB (default: what the layers unpack to)",
        )
        parser.add_argument(
            "--min-ram",
            metavar="<ram-mb>",
            type=_size,
            help="Memory that a server needs, in MiB (default: 0)",
        )
        options.add_visibility(parser)
        parser.add_argument(
            "--protected", action="store_true", help="Prevent the image from being deleted"
        )
        options.add_progress(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterable[Any]]:
        """Import the archive and return the new image in columns."""
        from novadocker.client.actions import bring  # noqa: PLC0415 - see the package

        columns = bring.run(self.app, parsed_args)
        return tuple(columns), tuple(columns.values())


def _size(word: str) -> int:
    value = int(word)
    if value < 0:
        raise ValueError(word)
    return value
