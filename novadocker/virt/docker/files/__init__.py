# SPDX-License-Identifier: Apache-2.0
"""Directories of containers' files, read and written as they are on the host's disk.

``directories`` is the service's side. Behind it the privileged daemon works: ``pack`` makes a
stream of a directory, ``unpack`` a directory of a stream, in the records of ``entry``, with the
owners that ``owners`` translates between two hosts.
"""
