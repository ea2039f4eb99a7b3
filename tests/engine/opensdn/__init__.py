# SPDX-License-Identifier: Apache-2.0
"""Tests of VRFs with packets, behind the double of the vRouter agent."""
