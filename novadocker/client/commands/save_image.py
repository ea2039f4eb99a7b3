# SPDX-License-Identifier: Apache-2.0
"""``openstack docker image save``."""

import argparse

from osc_lib.command import command

from novadocker.client.commands import options


class SaveImage(command.Command):
    """Save a container image of Glance as an archive for 'docker load'.

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
        """Save the image to the file."""
        from novadocker.client.actions import save  # noqa: PLC0415 - see the package

        save.run(self.app, parsed_args)
