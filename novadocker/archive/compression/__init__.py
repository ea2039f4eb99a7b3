# SPDX-License-Identifier: Apache-2.0
"""Gzip and zstd, undone as a stream, with a limit on growth."""
