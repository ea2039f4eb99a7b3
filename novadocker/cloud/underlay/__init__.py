# SPDX-License-Identifier: Apache-2.0
"""What servers run on: the Docker Engine, Open vSwitch and OVN."""
