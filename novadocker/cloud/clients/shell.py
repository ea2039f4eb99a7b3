# SPDX-License-Identifier: Apache-2.0
"""Shell of the client, with commands imported at their use.

The client's own table imports every command of every plug-in: half a second for a thousand
commands, of which one runs.
"""

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from typing import Any

from cliff.commandmanager import CommandManager
from openstackclient.shell import IGNORED_MODULES, OpenStackShell
from stevedore.extension import Extension, ExtensionManager


class Shell(OpenStackShell):
    """Shell of the command ``openstack``."""

    def __init__(self) -> None:
        super().__init__()
        # The groups of commands come with run(); so far there are the client's own few.
        commands = Commands(ignored_modules=IGNORED_MODULES)
        commands.commands.update(self.command_manager.commands)
        commands.group_list.extend(self.command_manager.group_list)
        self.command_manager = commands


class Commands(CommandManager):
    """Table of commands as entry points."""

    def load_commands(self, namespace: str) -> None:
        """Add the commands of a group.

        Args:
            namespace: name of the group, such as ``openstack.compute.v2``.
        """
        self.group_list.append(namespace)
        for name, entry_point in _found(namespace):
            if not self._is_module_ignored(entry_point.value, self.ignored_modules):
                self.commands[name] = entry_point

    def get_command_names(self, group: str | None = None) -> list[str]:
        """Return the names of a group's commands, or of all."""
        if group is None:
            return list(self.commands)
        return [name for name, _ in _found(group)]


class _Search(ExtensionManager[Any]):
    """Search of entry points with stevedore's cache, which imports none."""

    def _load_one_plugin(self, ep: EntryPoint, *_: Any) -> Extension[Any]:
        # The plug-in is for who calls it; the table needs the entry point alone.
        return Extension(ep.name, ep, object, None)


def _found(group: str) -> Sequence[tuple[str, EntryPoint]]:
    return [(each.name.replace("_", " "), each.entry_point) for each in _Search(group)]
