# SPDX-License-Identifier: Apache-2.0
"""Tenants' clients of a launched cloud: the command ``openstack``, quiet and quick."""
