# SPDX-License-Identifier: Apache-2.0
"""One server's container: its description, labels, life, directory, events and control group.

Nothing is imported here: ``container.privileged`` runs in the privileged daemon.
"""
