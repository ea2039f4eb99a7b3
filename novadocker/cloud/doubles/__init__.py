# SPDX-License-Identifier: Apache-2.0
"""Doubles of services that this machine cannot run, as programs of the launched cloud."""
