# SPDX-License-Identifier: Apache-2.0
"""Layers: digests, and checks of the entries in them."""
