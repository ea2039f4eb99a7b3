# SPDX-License-Identifier: Apache-2.0
"""An archive is brought into Glance."""

import argparse
import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from osc_lib.cli import format_columns

from novadocker.client import archives, origin, properties
from novadocker.client.errors import NameMissing
from novadocker.client.importing import Importer, Wanted
from novadocker.client.progress import Progress

LOG = logging.getLogger(__name__)


def run(app: Any, parsed_args: argparse.Namespace) -> dict[str, Any]:
    """Import one.

    Args:
        app: the client.
        parsed_args: the command's.

    Returns:
        Columns.
    """
    named = origin.parse(parsed_args.archive)
    wanted = _wanted(parsed_args, named)
    importer = Importer(app.client_manager.docker, Progress(wanted=parsed_args.progress))
    with _ended_by_exceptions(), archives.opened(named, wanted.platform) as archive:
        image, examined = importer.run(archive, wanted)
    if examined.index is None:
        LOG.warning(
            "The archive is compressed as a whole, so hosts must read all of it to boot it; "
            "import it uncompressed, and they leave out the layers that they have"
        )
    return {
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


@contextlib.contextmanager
def _ended_by_exceptions() -> Iterator[None]:
    """Have begun work undone, too, where the command is ended or the terminal closed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        # Shells give this exit code to an end by a signal.
        sys.exit(128 + number)

    # By default these signals end Python at once, and no ``finally`` would run.
    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
