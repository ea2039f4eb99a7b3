# SPDX-License-Identifier: Apache-2.0
"""Moves of servers, files included, to another host.

``departure`` runs on the source and ``arrival`` on the destination. ``manifest`` is the account
that the destination judges by, ``stream`` the connection between the two, ``frames`` the
sections on it, and ``replica`` the container that is made of the source's description.
"""
