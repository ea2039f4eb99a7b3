# SPDX-License-Identifier: Apache-2.0
"""Break in a stream of files.

Not of the tree in ``novadocker.errors``: the privileged daemon raises it, and oslo.privsep makes
an exception anew from the words of its message alone.
"""


class Fault(Exception):
    """Unexpected content of a stream of files, or of a directory at one of the ends."""
