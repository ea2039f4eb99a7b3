# SPDX-License-Identifier: Apache-2.0
"""Tar, read as a stream: headers, extended headers, positions."""
