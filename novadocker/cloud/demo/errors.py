# SPDX-License-Identifier: Apache-2.0
"""Errors of a demonstration, below the launcher's own.

::

    CloudError
    └── ProofFailed         something is not as it was to be shown
        └── ServerFailed    a server is in the state ERROR
"""

from novadocker.cloud.errors import CloudError


class ProofFailed(CloudError):
    """Claim of the demonstration found wrong."""

    message = "{reason}"


class ServerFailed(ProofFailed):
    """A server did not come to be."""

    message = "Server {name} is in state {status}; its fault: {fault}"
