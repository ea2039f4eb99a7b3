# SPDX-License-Identifier: Apache-2.0
"""Saved Docker images made on the spot, since no registry of images may be reachable."""

from novadocker.cloud.samples.debian import DEBIAN
from novadocker.cloud.samples.sample import CACHE, Sample
from novadocker.cloud.samples.ssh import SSH
from novadocker.cloud.samples.web import WEB

__all__ = ["CACHE", "DEBIAN", "SSH", "WEB", "Sample"]
