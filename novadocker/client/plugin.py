# SPDX-License-Identifier: Apache-2.0
"""Entry for python-openstackclient, imported at every start: to be kept small."""

import argparse
from typing import Any

API_NAME = "docker"
API_VERSION_OPTION = "os_docker_api_version"
DEFAULT_API_VERSION = "1"
API_VERSIONS = ("1",)


def make_client(instance: Any) -> Any:
    """Make the client for ``client_manager.docker``.

    Args:
        instance: the client manager.
    """
    from novadocker.client.glance import Glance  # noqa: PLC0415 - other commands pay for it

    return Glance(instance.sdk_connection.image)


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add our global option, required of every plugin.

    Args:
        parser: parser of the whole command line.
    """
    parser.add_argument(
        "--os-docker-api-version",
        metavar="<docker-api-version>",
        default=DEFAULT_API_VERSION,
        help="Version of the 'docker image' commands, default=%(default)s",
    )
    return parser


def check_api_version(version: str) -> bool:
    """Say whether a version needs no further check.

    Args:
        version: as the user wrote it.
    """
    return version in API_VERSIONS
