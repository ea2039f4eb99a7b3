# SPDX-License-Identifier: Apache-2.0
"""Plug-ins of nova-api: validators of flavor extra specs."""
