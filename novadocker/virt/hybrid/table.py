# SPDX-License-Identifier: Apache-2.0
"""Table of Nova's driver interface: each public method of ComputeDriver in exactly one row.

A test compares the table with ``nova.virt.driver.ComputeDriver``, so that a method that a new
release of Nova adds is noticed before it goes to the wrong engine.
"""

import enum
from collections.abc import Mapping


class Row(enum.Enum):
    """Ways from a call to a driver.

    Attributes:
        BY_INSTANCE: the engine that has the server; the image's record where neither has.
        BY_IMAGE: the engine that has the server, else the image that the caller hands over.
        REMOVAL: each engine that has something of the server, since a wrong removal destroys.
        HOST: libvirt's driver, which answers for the host.
        JOINED: written out in the driver, which asks both.
        INHERITED: ComputeDriver's own, which calls other methods or is never called.
    """

    BY_INSTANCE = enum.auto()
    BY_IMAGE = enum.auto()
    REMOVAL = enum.auto()
    HOST = enum.auto()
    JOINED = enum.auto()
    INHERITED = enum.auto()


ROWS: Mapping[Row, frozenset[str]] = {
    Row.BY_INSTANCE: frozenset(
        [
            "get_info",
            "prepare_for_spawn",
            "failed_spawn_cleanup",
            "reboot",
            "get_console_output",
            "get_vnc_console",
            "get_spice_console",
            "get_serial_console",
            "get_mks_console",
            "get_diagnostics",
            "get_instance_diagnostics",
            "attach_volume",
            "detach_volume",
            "swap_volume",
            "extend_volume",
            "prepare_networks_before_block_device_mapping",
            "clean_networks_preparation",
            "attach_interface",
            "detach_interface",
            "migrate_disk_and_power_off",
            "snapshot",
            "confirm_migration",
            "finish_revert_migration",
            "pause",
            "unpause",
            "suspend",
            "resume",
            "resume_state_on_host_boot",
            "unrescue",
            "power_off",
            "power_on",
            "mount_share",
            "umount_share",
            "power_update_event",
            "trigger_crash_dump",
            "soft_delete",
            "restore",
            "set_admin_password",
            "inject_network_info",
            "plug_vifs",
            "unplug_vifs",
            "block_stats",
            "get_volume_connector",
            "instance_on_disk",
            "volume_snapshot_create",
            "volume_snapshot_delete",
            "default_device_names_for_instance",
            "get_device_name_for_instance",
            "quiesce",
            "unquiesce",
            "network_binding_host_id",
            "cleanup_lingering_instance_resources",
            "check_instance_shared_storage_local",
            "pre_live_migration",
            "live_migration",
            "live_migration_force_complete",
            "live_migration_abort",
            "rollback_live_migration_at_source",
            "rollback_live_migration_at_destination",
            "post_live_migration",
            "post_live_migration_at_source",
            "post_live_migration_at_destination",
            "check_can_live_migrate_destination",
            "check_can_live_migrate_source",
            "check_source_migrate_data_at_dest",
            "post_claim_migrate_data",
            "get_instance_disk_info",
        ]
    ),
    Row.BY_IMAGE: frozenset({"spawn", "finish_migration", "default_root_device_name"}),
    Row.REMOVAL: frozenset({"destroy", "cleanup", "delete_instance_files"}),
    Row.HOST: frozenset(
        [
            "get_available_nodes",
            "get_nodenames_by_uuid",
            "node_is_available",
            "is_node_deleted",
            "get_host_ip_addr",
            "get_host_uptime",
            "get_host_cpu_stats",
            "host_power_action",
            "host_maintenance_mode",
            "set_host_enabled",
            "is_share_mounted",
            "is_supported_fs_format",
            "manages_network_binding_host_id",
        ]
    ),
    Row.JOINED: frozenset(
        [
            "init_host",
            "cleanup_host",
            "process_instances_at_startup",
            "list_instances",
            "list_instance_uuids",
            "get_num_instances",
            "instance_exists",
            "get_available_resource",
            "update_provider_tree",
            "manage_image_cache",
            "register_event_listener",
            "get_all_volume_usage",
            "poll_rebooting_instances",
            "rebuild",
            "rescue",
            "cache_image",
            "check_instance_shared_storage_remote",
            "check_instance_shared_storage_cleanup",
            "cleanup_live_migration_destination_check",
        ]
    ),
    Row.INHERITED: frozenset(
        {"capabilities_as_traits", "emit_event", "get_instance_driver_metadata"}
    ),
}
