# SPDX-License-Identifier: Apache-2.0
"""Repairs of a server after nova-compute died in the middle of an operation.

Nova starts, stops, reboots and deletes anew what was cut off. The rest only the driver can see.
This is the whole list, each repair with its module and its time:

* a container made anew under another flavor and not yet in its predecessor's place: the names are
  put right, ``recreations``, at the begin of every operation;
* a stand-in of a rescue that did not come to run: removed, ``rescues``, with each ``plug_vifs``;
* a server whose memory is on disk, and whose frozen processes have not been ended: ended,
  ``repairs``, at the start of nova-compute; half a checkpoint is wiped;
* a container frozen for a snapshot or for half a checkpoint: thawed, ``repairs``,
  at the start of nova-compute;
* a container made for a server that will be in ERROR, and has not run: removed, ``repairs``, at
  the start of nova-compute;
* a container started and not wired, or wired and not let through its gate: ``plug_vifs`` wires
  every container that runs, broken off or not;
* a container that runs behind the back of an engine upgraded meanwhile: told, and not mended.

``recovery.Recovery`` calls them in this order; nothing else is repaired anywhere.
"""
