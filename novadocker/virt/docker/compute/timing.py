# SPDX-License-Identifier: Apache-2.0
"""Table of the timed calls of nova.virt.driver.ComputeDriver."""

from collections.abc import Mapping

# ``rebuild`` has no place here: of a rebuild the driver does a deletion and a boot.
ACTIONS: Mapping[str, str] = {
    "spawn": "boot",
    "destroy": "deletion",
    "power_on": "start",
    "power_off": "stop",
    "reboot": "reboot",
    "pause": "pause",
    "unpause": "unpause",
    "rescue": "rescue",
    "unrescue": "unrescue",
    "set_admin_password": "password",
    "migrate_disk_and_power_off": "resize",
    "finish_migration": "resize-finish",
    "confirm_migration": "resize-confirm",
    "finish_revert_migration": "resize-revert",
    "attach_interface": "interface-attach",
    "detach_interface": "interface-detach",
    "attach_volume": "volume-attach",
    "detach_volume": "volume-detach",
    "snapshot": "snapshot",
}
