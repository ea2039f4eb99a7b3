# SPDX-License-Identifier: Apache-2.0
"""Privileged daemon for volumes: devices, file systems, and mounts inside containers.

Nothing is imported here: every module that runs in the daemon imports this package.
"""
