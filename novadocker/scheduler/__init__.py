# SPDX-License-Identifier: Apache-2.0
"""Filters for scheduler hosts of clouds that have containers and virtual machines."""
