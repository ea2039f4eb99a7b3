# SPDX-License-Identifier: Apache-2.0
"""Nova as nova-compute has it: on native threads, and without eventlet."""

import importlib
import warnings

# Fixtures of a whole cloud, for tests/cloud and tests/faults; nothing is started before use.
pytest_plugins = ["tests.support.cloud_fixtures", "tests.support.cloud_stacks"]

with warnings.catch_warnings():
    # Nova and what it stands on warn of themselves when they are imported; it is not our code.
    warnings.simplefilter("ignore")
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    for module in (
        "nova.compute.manager",
        "nova.network.os_vif_util",
        "os_vif.objects.instance_info",
    ):
        importlib.import_module(module)
