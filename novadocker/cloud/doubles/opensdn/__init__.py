# SPDX-License-Identifier: Apache-2.0
"""A double of Contrail (OpenSDN): the vRouter agent's port API, VRFs, and Neutron's driver."""
