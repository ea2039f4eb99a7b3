# SPDX-License-Identifier: Apache-2.0
"""Tests of the wiring on a real kernel; fixtures of the package end with the last test."""
