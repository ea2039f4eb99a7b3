# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image import``."""

import argparse
import contextlib
import logging
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType
from typing import Any

from osc_lib.cli import format_columns, parseractions
from osc_lib.command import command

from novadocker.client import archives, origin, properties
from novadocker.client.commands import options
from novadocker.client.errors import NameMissing
from novadocker.client.importing import Importer, Wanted
from novadocker.client.progress import Progress

LOG = logging.getLogger(__name__)


class ImportImage(command.ShowOne):
    """Check a container image and upload it, with the properties that Nova wants of it.

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
        """Import it and say what it is now."""
        named = origin.parse(parsed_args.archive)
        wanted = _wanted(parsed_args, named)
        importer = Importer(options.glance(self.app), Progress(wanted=parsed_args.progress))
        with _ended_by_exceptions(), archives.opened(named, wanted.platform) as archive:
            image, examined = importer.run(archive, wanted)
        if examined.index is None:
            LOG.warning(
                "The archive is compressed as a whole, so hosts must read all of it to boot it; "
                "import it uncompressed, and they leave out the layers that they have"
            )
        columns = {
            "id": image.id,
            "name": image.name,
            "status": image.status,
            "visibility": image.visibility,
            "docker_id": examined.image.id,
            "platform": str(examined.platform),
            "layers": len(examined.image.layers),
            "size": format_columns.SizeColumn(image.size),
            "min_disk": image.min_disk,
            "min_ram": image.min_ram,
            "properties": format_columns.DictColumn(_set_properties(image.properties, wanted)),
        }
        return tuple(columns), tuple(columns.values())


def _wanted(parsed_args: argparse.Namespace, named: origin.Origin) -> Wanted:
    name = parsed_args.name or named.name
    if not name:
        raise NameMissing(origin=named)
    attributes = {
        "visibility": parsed_args.visibility,
        "tags": parsed_args.tags,
        "min_disk": parsed_args.min_disk,
        "min_ram": parsed_args.min_ram,
    }
    return Wanted(
        name=name,
        platform=properties.platform(parsed_args.platform),
        attributes={name: value for name, value in attributes.items() if value is not None},
        properties=properties.given(parsed_args.properties),
        protected=parsed_args.protected,
    )


def _set_properties(found: Any, wanted: Wanted) -> dict[str, str]:
    names = {*properties.SET_BY_IMPORT, *wanted.properties}
    return {name: found[name] for name in sorted(names) if name in found}


def _size(word: str) -> int:
    value = int(word)
    if value < 0:
        raise ValueError(word)
    return value


@contextlib.contextmanager
def _ended_by_exceptions() -> Iterator[None]:
    """Have what is begun undone, too, where the command is ended or its terminal closed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
