# SPDX-License-Identifier: Apache-2.0
"""Base below servers: the Docker Engine, Open vSwitch and OVN."""
