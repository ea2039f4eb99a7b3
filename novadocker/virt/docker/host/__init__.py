# SPDX-License-Identifier: Apache-2.0
"""The compute host: inventory for Placement, disk, processor, and suitability for containers."""
