# SPDX-License-Identifier: Apache-2.0
"""Why a demonstration fails, as one tree below the launcher's own.

::

    CloudError
    └── ProofFailed         something is not as it was to be shown
        └── ServerFailed    a server is in the state ERROR
"""

from novadocker.cloud.errors import CloudError


class ProofFailed(CloudError):
    """What was to be proven is not so."""

    message = "{reason}"


class ServerFailed(ProofFailed):
    """A server did not come to be."""

    message = "Server {name} is in state {status}; its fault: {fault}"
