# SPDX-License-Identifier: Apache-2.0
"""An image of Glance becomes an archive for Docker."""

import argparse
import logging
from typing import Any

from novadocker.client import output, properties, reference
from novadocker.client.errors import OutputRefused
from novadocker.client.examination import Examination
from novadocker.client.progress import Progress

LOG = logging.getLogger(__name__)


def run(app: Any, parsed_args: argparse.Namespace) -> None:
    """Save one.

    Args:
        app: the client.
        parsed_args: the command's.
    """
    named = parsed_args.reference
    if named and not reference.is_sound(named):
        raise OutputRefused(path=named, reason="Docker accepts no such name of an image")
    with output.opened(parsed_args.file) as file:
        glance = app.client_manager.docker
        image = glance.find(parsed_args.image)
        wanted = properties.wanted_of(parsed_args.platform, image.properties)
        tag = reference.of_name(named or image.name, image.id)
        progress = Progress(wanted=parsed_args.progress)
        file.writelines(
            Examination(
                progress.of(glance.download(image), "Saving", image.size),
                again=lambda: glance.download(image),
                what=image.name or image.id,
                platform=wanted,
                tag=tag,
            )
        )
    if tag.removesuffix(":latest") != (named or image.name).removesuffix(":latest"):
        LOG.warning("Docker will call it %s, for it has no names like %r", tag, image.name)
