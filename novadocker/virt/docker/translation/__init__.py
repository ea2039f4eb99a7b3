# SPDX-License-Identifier: Apache-2.0
"""Nova's objects into our values, and our errors into Nova's: the words of ``driver``."""

from novadocker.virt.docker.translation.error_mapping import (
    as_build_errors,
    as_failed_check,
    as_nova_errors,
    as_password_errors,
    as_refused_rebuild,
    as_refused_resize,
    as_rollback,
    as_snapshot_errors,
)
from novadocker.virt.docker.translation.from_nova import (
    connection,
    console_settings,
    described,
    inputs,
    login,
    server,
    shutdown_timeout,
    stand_in,
    wishes,
)
from novadocker.virt.docker.translation.image_wait import WaitingServer
from novadocker.virt.docker.translation.processors import shared_processors
from novadocker.virt.docker.translation.startup import local_instances, nova_hands_over
from novadocker.virt.docker.translation.states import (
    POWER_STATES,
    TRANSITIONS,
    expected_at_start,
    keep_password,
    record_lost,
    report_lost,
    settled,
    settled_here,
    snapshot_stages,
)

__all__ = [
    "POWER_STATES",
    "TRANSITIONS",
    "WaitingServer",
    "as_build_errors",
    "as_failed_check",
    "as_nova_errors",
    "as_password_errors",
    "as_refused_rebuild",
    "as_refused_resize",
    "as_rollback",
    "as_snapshot_errors",
    "connection",
    "console_settings",
    "described",
    "expected_at_start",
    "inputs",
    "keep_password",
    "local_instances",
    "login",
    "nova_hands_over",
    "record_lost",
    "report_lost",
    "server",
    "settled",
    "settled_here",
    "shared_processors",
    "shutdown_timeout",
    "snapshot_stages",
    "stand_in",
    "wishes",
]
