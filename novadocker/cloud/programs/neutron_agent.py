# SPDX-License-Identifier: Apache-2.0
"""Neutron agent as a program: ``python -m novadocker.cloud.programs.neutron_agent MODULE ...``.

It keeps the agent's privileged functions in its own process, where that can be done. The agent
is root here anyway, and each of its privileged helpers would take another 120 MB.
"""

import importlib
import os
import sys

# Their supervisor would take the signals with which helpers in namespaces end for its own.
_WITH_HELPERS = ("dhcp", "l3")

_METADATA = "ovn_metadata"
# Begins the names of the agent's network namespaces, where other hosts' agents make some too.
NAMESPACE_PREFIX = "NOVADOCKER_CLOUD_NAMESPACE_PREFIX"


def main() -> None:
    """Run the agent of the module named first with the other arguments."""
    program, name, *arguments = sys.argv
    # Its package chooses native threads: nothing of Neutron may be imported before.
    module = importlib.import_module(f"neutron.cmd.agents.{name}")
    if name not in _WITH_HELPERS:
        _stay_in_this_process()
    if name == _METADATA:
        _complete_checksums()
        if prefix := os.environ.get(NAMESPACE_PREFIX):
            _name_namespaces(prefix)
    sys.argv = [program, *arguments]
    module.main()


def _stay_in_this_process() -> None:
    from neutron import privileged  # noqa: PLC0415 (after the agent's own choice of threads)
    from oslo_privsep.priv_context import PrivContext  # noqa: PLC0415

    for context in vars(privileged).values():
        if isinstance(context, PrivContext):
            context.set_client_mode(False)


def _complete_checksums() -> None:
    """Complete checksums of IPv6 too: in user space Neutron completes IPv4 alone."""
    from neutron.agent.linux.iptables_manager import IptablesManager  # noqa: PLC0415
    from neutron.agent.ovn.metadata.agent import MetadataAgent  # noqa: PLC0415

    def complete(_agent: MetadataAgent, namespace: str) -> None:
        manager = IptablesManager(
            use_ipv6=True, nat=False, namespace=namespace, external_lock=False
        )
        for tables in (manager.ipv4, manager.ipv6):
            rule = "-p tcp -m tcp -j CHECKSUM --checksum-fill"
            tables["mangle"].add_rule("POSTROUTING", rule, wrap=False)
        manager.apply()

    MetadataAgent._ensure_datapath_checksum = complete  # noqa: SLF001


def _name_namespaces(prefix: str) -> None:
    """Name namespaces apart from the namespaces of other hosts' agents on the machine.

    An agent looks through all of its machine for names that begin as its own do, and removes
    what it does not know.
    """
    from neutron.agent.ovn.metadata import agent  # noqa: PLC0415 (as above)

    def name(datapath: str) -> str:
        return f"{prefix}{agent.NS_PREFIX}{datapath}"

    agent.MetadataAgent._get_namespace_name = staticmethod(name)  # noqa: SLF001


if __name__ == "__main__":
    main()
