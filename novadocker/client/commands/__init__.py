# SPDX-License-Identifier: Apache-2.0
"""Words of the commands: the accepted arguments, and the action behind each command.

All of these are imported at every start of ``openstack``, whatever the command is: they import
nothing that it has not, and their actions when they are run.
"""
