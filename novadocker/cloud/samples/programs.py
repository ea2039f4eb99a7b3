# SPDX-License-Identifier: Apache-2.0
"""Programs to make and show samples with, beyond the cloud's own."""

from novadocker.cloud.machine import apt, packages

# Which package brings a program.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "curl": "curl",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
}


def ensure() -> list[str]:
    """Install the packages of missing programs, and return the packages' names."""
    # Samples are made from packages, of which the lists must be there.
    return packages.ensure(PROGRAMS, lists=not apt.sources())
