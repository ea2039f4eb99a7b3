# SPDX-License-Identifier: Apache-2.0
"""Options common to several commands."""

import argparse

ORIGIN_HELP = (
    "A file that 'docker save' or an OCI tool wrote, '-' for standard input, "
    "docker://NAME[:TAG] for an image of your Docker Engine, or "
    "docker://REGISTRY/NAME[:TAG] for one of a registry"
)


def add_platform(parser: argparse.ArgumentParser, default: str) -> None:
    """Add --platform.

    Args:
        parser: parser of the command.
        default: platform taken without the option, in words.
    """
    parser.add_argument(
        "--platform",
        metavar="<os/architecture>",
        help=f"Which variant, such as linux/arm64 (default: {default})",
    )


def add_progress(parser: argparse.ArgumentParser) -> None:
    """Add --progress and --no-progress.

    Args:
        parser: parser of the command.
    """
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="Show how far it is on standard error (default: where that is a terminal)",
    )


def add_visibility(parser: argparse.ArgumentParser) -> None:
    """Add options for an image's visibility, by the words of 'image create'.

    Args:
        parser: parser of the command.
    """
    group = parser.add_mutually_exclusive_group()
    for visibility, who in (
        ("public", "everybody"),
        ("private", "nobody else"),
        ("community", "everybody who knows its ID"),
        ("shared", "the projects that you add to it (default)"),
    ):
        group.add_argument(
            f"--{visibility}",
            action="store_const",
            const=visibility,
            dest="visibility",
            help=f"Image is usable by {who}",
        )
