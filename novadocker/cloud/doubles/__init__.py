# SPDX-License-Identifier: Apache-2.0
"""Doubles of services beyond a launched cloud's means, as programs."""
