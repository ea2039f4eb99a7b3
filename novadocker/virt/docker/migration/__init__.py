# SPDX-License-Identifier: Apache-2.0
"""Servers that move to another host with their files.

``privileged`` reads and writes directories of files as they are on the host's disk: ``pack``
makes a stream of one, ``unpack`` a directory of a stream, in the records of ``entry``, with the
owners that ``owners`` translates between two hosts.
"""
