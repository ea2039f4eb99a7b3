# SPDX-License-Identifier: Apache-2.0
"""Calls of nova-compute and calls to it: the host's service, ports, tags, power states, health."""
