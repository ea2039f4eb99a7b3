# SPDX-License-Identifier: Apache-2.0
"""Break in a stream of files.

Not of the tree in ``novadocker.errors``: the privileged daemon raises it, and oslo.privsep makes
an exception anew from the words of its message alone.
"""


class Fault(Exception):
    """A stream of files, or a directory that it goes to or comes from, is not as it should be."""
