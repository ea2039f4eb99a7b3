# SPDX-License-Identifier: Apache-2.0
"""VRFs that carry packets, behind the double of the vRouter agent."""
