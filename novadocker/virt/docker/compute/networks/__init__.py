# SPDX-License-Identifier: Apache-2.0
"""Ports of servers as Nova and Neutron have them: record, news of plugging, trunks."""
