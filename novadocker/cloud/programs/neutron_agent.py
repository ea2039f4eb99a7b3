# SPDX-License-Identifier: Apache-2.0
"""Runs one of Neutron's agents: ``python -m novadocker.cloud.programs.neutron_agent MODULE ...``.

It keeps the agent's privileged functions in its own process, where that can be done. The agent
is root here anyway, and each of its privileged helpers would take another 120 MB.
"""

import importlib
import sys

# Their supervisor would take the signals with which helpers in namespaces end for its own.
_WITH_HELPERS = ("dhcp", "l3")


def main() -> None:
    """Run the agent of the module named first with the other arguments."""
    program, name, *arguments = sys.argv
    # Its package chooses native threads: nothing of Neutron may be imported before.
    module = importlib.import_module(f"neutron.cmd.agents.{name}")
    if name not in _WITH_HELPERS:
        _stay_in_this_process()
    sys.argv = [program, *arguments]
    module.main()


def _stay_in_this_process() -> None:
    from neutron import privileged  # noqa: PLC0415 (after the agent's own choice of threads)
    from oslo_privsep.priv_context import PrivContext  # noqa: PLC0415

    for context in vars(privileged).values():
        if isinstance(context, PrivContext):
            context.set_client_mode(False)


if __name__ == "__main__":
    main()
