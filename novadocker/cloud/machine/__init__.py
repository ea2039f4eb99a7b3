# SPDX-License-Identifier: Apache-2.0
"""This machine: its packages and ports, what a cloud puts on it and must take away again."""
