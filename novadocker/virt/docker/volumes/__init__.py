# SPDX-License-Identifier: Apache-2.0
"""Cinder volumes as file systems of servers: connected, checked, mounted, and let go with proof.

``Volumes`` in ``attachments`` is the entry; ``place``, ``superblock`` and ``content`` are pure;
``connector`` speaks to os-brick; ``privileged`` runs in a daemon of its own.
"""
