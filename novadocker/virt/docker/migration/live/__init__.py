# SPDX-License-Identifier: Apache-2.0
"""Moves of running servers to another host: files and memory, while connections stay open.

``departure`` runs on the source and ``arrival`` on the destination; ``course`` is one move under
way, which can be aborted. Files travel while the server runs; it is frozen for its memory and
for what has changed since. The destination restores it held back, the source notes the
handover, and only then does the destination let it run.
"""
