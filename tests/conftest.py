# SPDX-License-Identifier: Apache-2.0
"""Nova as nova-compute has it: on native threads, and without eventlet."""

import warnings

with warnings.catch_warnings():
    # Nova and what it stands on warn of themselves when they are imported; it is not our code.
    warnings.simplefilter("ignore")
    from nova import monkey_patch

    monkey_patch.patch(backend="threading")
    import nova.compute.manager  # noqa: F401 - all that a driver's modules may import, once
