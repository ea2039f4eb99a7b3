# SPDX-License-Identifier: Apache-2.0
"""Runs OVN's metadata agent: ``python -m novadocker.cloud.programs.metadata_agent``.

It keeps the agent's privileged functions in its own process. The agent is root here
anyway, and each of its privileged helpers would take another 120 MB.
"""

from neutron import privileged
from neutron.cmd.agents import ovn_metadata


def main() -> None:
    """Run the agent with this process's arguments."""
    for context in (privileged.default, privileged.namespace_cmd, privileged.link_cmd):
        context.set_client_mode(False)
    ovn_metadata.main()


if __name__ == "__main__":
    main()
