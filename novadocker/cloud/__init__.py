# SPDX-License-Identifier: Apache-2.0
"""The launcher: a whole cloud on one machine, to try the driver and to test it."""
