# SPDX-License-Identifier: Apache-2.0
"""Figures of one host's driver for Prometheus, and a line in the log for each action."""
