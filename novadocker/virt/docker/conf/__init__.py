# SPDX-License-Identifier: Apache-2.0
"""Options in ``[docker]`` of nova.conf, as definitions and as frozen values."""

from novadocker.virt.docker.conf.options import list_opts

__all__ = ["list_opts"]
