# SPDX-License-Identifier: Apache-2.0
"""Code that runs in the privileged daemon for checkpoints, and no other.

Arguments and results are plain values; what goes wrong is an ``OSError``, since other exceptions
do not survive the way back.
"""
