# SPDX-License-Identifier: Apache-2.0
"""Virtual machines and containers under one nova-compute: ``HybridDriver``.

``driver`` holds Nova's libvirt driver and our Docker driver and sends each call to one of them
or to both. ``table`` names the row of each method, ``dispatch`` makes methods of the rows,
``kind`` finds the engine that has a server, ``sides`` asks the engines, ``merging`` joins the
answers about the host (pure).

Nothing is imported here: the scheduler's filter uses ``kind`` where no libvirt is installed.
"""
