# SPDX-License-Identifier: Apache-2.0
"""The privileged daemon (oslo.privsep) and entry to other namespaces.

Nothing is imported here: every module that runs in the daemon imports this package.
"""
