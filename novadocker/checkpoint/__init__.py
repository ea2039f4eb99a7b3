# SPDX-License-Identifier: Apache-2.0
"""Programs below the engine for the restore of checkpointed containers.

``novadocker-runtime`` is the engine's OCI runtime on hosts that can suspend. ``runtime`` turns
the creation of one container into its restore. ``ask`` holds the restore at two places until
the driver has answered. None of them imports anything of the driver, and the driver's side of
the conversation is ``novadocker.virt.docker.checkpoint``.
"""
