# SPDX-License-Identifier: Apache-2.0
"""Result of a pass over a container's network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EACCES, EADDRNOTAVAIL, ENOBUFS, ENODEV, ENOMEM, EPERM, ESRCH

from pyroute2.netlink.exceptions import NetlinkError

# Faults of this host or of the interface, not of the address or route at hand.
_NOT_OF_THE_PLAN = frozenset({EACCES, ENOBUFS, ENODEV, ENOMEM, EPERM})
_GONE = frozenset({EADDRNOTAVAIL, ENODEV, ESRCH})


@dataclass
class Outcome:
    """Changes made to a container's network, and parts of its plan left out.

    Attributes:
        changes: phrases for a log.
        refused: sentences for an operator, each with the kernel's own words.
    """

    changes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @contextmanager
    def adding(self, thing: str) -> Iterator[None]:
        """Note an addition or the kernel's refusal.

        A tenant's subnet may name anything: one bad route must not cost a server its network.

        Args:
            thing: phrase for address or route, with its interface.

        Yields:
            Nothing.

        Raises:
            NetlinkError: the host cannot do this for any server at present.
        """
        try:
            yield
        except (NetlinkError, OSError, ValueError) as error:
            number = error.args[0] if isinstance(error, NetlinkError) else None
            if number in _NOT_OF_THE_PLAN:
                raise
            self.refused.append(f"{thing} left out: the kernel refuses it ({error.args[-1]})")
        else:
            self.changes.append(f"{thing} added")

    @contextmanager
    def removing(self, thing: str) -> Iterator[None]:
        """Note a removal; absence is no error.

        Args:
            thing: phrase for address or route, with its interface.

        Yields:
            Nothing.
        """
        try:
            yield
        except NetlinkError as error:
            # the container's own root may have been faster
            if error.code not in _GONE:
                raise
        else:
            self.changes.append(f"{thing} removed")
