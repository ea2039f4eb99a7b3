# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image save``."""

import argparse
import logging

from osc_lib.command import command

from novadocker.client import output, reference
from novadocker.client.commands import options
from novadocker.client.errors import OutputRefused
from novadocker.client.examination import Examination
from novadocker.client.progress import Progress

LOG = logging.getLogger(__name__)


class SaveImage(command.Command):
    """Save a container image of Glance as an archive that 'docker load' takes.

    It is checked on the way; a file appears only when it is whole.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Say what may be given."""
        parser = super().get_parser(prog_name)
        parser.add_argument("image", metavar="<image>", help="Image (name or ID)")
        parser.add_argument(
            "--file", metavar="<file>", help="File to write (default: standard output)"
        )
        parser.add_argument(
            "--reference",
            metavar="<name[:tag]>",
            help="What Docker is to call it (default: like Glance)",
        )
        options.add_platform(parser, "the image's, else this machine's")
        options.add_progress(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Save it."""
        named = parsed_args.reference
        if named and not reference.is_sound(named):
            raise OutputRefused(path=named, reason="Docker accepts no such name of an image")
        with output.opened(parsed_args.file) as file:
            glance = options.glance(self.app)
            image = glance.find(parsed_args.image)
            wanted = options.platform(parsed_args.platform, image)
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
