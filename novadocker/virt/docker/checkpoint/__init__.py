# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: the memory of a container's processes on disk, and the way back.

CRIU writes and reads them below the engine, by runc. A checkpoint holds all secrets of a server
and decides what its processes may do, so that it is trusted like root: it lies in a directory of
root, is never part of an image, and is overwritten when it has been used.
"""
