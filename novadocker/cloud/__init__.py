# SPDX-License-Identifier: Apache-2.0
"""Launcher of a whole cloud on a machine, to try and to test the driver."""
