# SPDX-License-Identifier: Apache-2.0
"""The programs with which samples are made and shown, beyond those that the cloud needs."""

import os
import shutil
import subprocess

from novadocker.cloud.errors import PackagesFailed
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
    missing = sorted(package for program, package in PROGRAMS.items() if not shutil.which(program))
    with packages.no_service_starts(packages.POLICY):
        # Samples are made from packages of which the lists must be there.
        if missing or not apt.sources():
            _apt("update", "--quiet")
        if missing:
            _apt("install", "--yes", "--no-remove", "--no-install-recommends", *missing)
    return missing


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ("apt-get", "--option", "DPkg::Lock::Timeout=300", *arguments),
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        raise PackagesFailed(packages=" ".join(PROGRAMS.values()), reason=done.stderr.strip())
