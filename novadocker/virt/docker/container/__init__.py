# SPDX-License-Identifier: Apache-2.0
"""Container of one server: description, labels, life, directory, events, probes, control group.

Nothing is imported here: ``container.privileged`` runs in the privileged daemon.
"""
