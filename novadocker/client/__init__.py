# SPDX-License-Identifier: Apache-2.0
"""The tenant's side: ``openstack docker image import | save | inspect | check``.

A plugin of python-openstackclient. It imports neither Nova nor anything that only a compute
host needs; of the driver it uses ``archive``, the same checker that hosts use.
``plugin`` is all that other commands of ``openstack`` load of it.
"""
