# SPDX-License-Identifier: Apache-2.0
"""The commands' words: what may be given, and which action it is given to.

All of these are imported at every start of ``openstack``, whatever the command is: they import
nothing that it has not, and their actions when they are run.
"""
