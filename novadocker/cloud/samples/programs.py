# SPDX-License-Identifier: Apache-2.0
"""The programs with which samples are made and shown, beyond those that the cloud needs."""

from novadocker.cloud.machine import packages
from novadocker.cloud.samples import apt

# Which package brings a program.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "curl": "curl",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
}


def ensure() -> list[str]:
    """Install the packages of which the program is missing, and return them."""
    # Samples are made from packages, of which the lists must be there.
    return packages.ensure(PROGRAMS, lists=not apt.sources())
