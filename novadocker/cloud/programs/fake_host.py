# SPDX-License-Identifier: Apache-2.0
"""nova-compute with Nova's fake driver: ``python -m novadocker.cloud.programs.fake_host``.

It has no switch, so Neutron could bind none of its ports. They are bound on a real host
instead, where nobody plugs them: the control plane does the same work as for real servers.
"""

import sys

from nova.cmd import compute
from nova.virt import fake


def main() -> None:
    """Run nova-compute with ports bound on the host of the first argument."""
    binding_host, *arguments = sys.argv[1:]
    fake.FakeDriver.network_binding_host_id = lambda *_: binding_host
    sys.argv = ["nova-compute", *arguments]
    compute.main()


if __name__ == "__main__":
    main()
