# SPDX-License-Identifier: Apache-2.0
"""Runs supervisord: ``python -m novadocker.cloud.programs.supervisord -c FILE``.

supervisord forgets to stop polling a connection that ended. When the number of that
descriptor is given to the standard input of a program that closes its own, poll(2) answers
POLLERR at once, for ever, and supervisord takes half a processor. Seen with 4.3.0.
"""

import select
import sys

from supervisor import poller, supervisord


class Poller(poller.PollPoller):
    """Poller that lets go of descriptors with nothing but an error."""

    def _ignore_invalid(self, fd: int, eventmask: int) -> bool:
        if eventmask == select.POLLERR:
            self.unregister_readable(fd)
            return True
        return bool(super()._ignore_invalid(fd, eventmask))


if __name__ == "__main__":
    poller.Poller = Poller
    sys.exit(supervisord.main())
