# SPDX-License-Identifier: Apache-2.0
"""Serial consoles: one terminal for each server, shared by its viewers.

``Consoles`` keeps them; a ``Line`` is one, with its listener and its viewers; a ``Terminal``
is what they talk to; ``Keyboard`` and ``Screen`` are what can be said without any of it.
"""

from novadocker.virt.docker.conf.networks import networks
from novadocker.virt.docker.console.consoles import Consoles, ConsoleSettings

__all__ = ["ConsoleSettings", "Consoles", "networks"]
