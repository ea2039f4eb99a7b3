# SPDX-License-Identifier: Apache-2.0
"""Why the launcher gives up, as one tree.

::

    CloudError
    ├── StateRefused        the state directory is not one that we made, or made otherwise
    ├── HostUnfit           the machine lacks or already has something
    │   └── PortsTaken      somebody listens where a service should
    ├── HostUnknown         no compute host has this name
    ├── HostBusy            a compute host cannot be taken away or brought back like this
    ├── PackagesFailed      apt did not install what is missing
    ├── CommandFailed       a program that prepares something failed
    ├── ServiceFailed       a service ended, or did not become ready in time
    ├── Aborted             something else failed meanwhile
    └── SupervisorGone      the supervisor does not answer
"""

from typing import Any, ClassVar


class CloudError(Exception):
    """Base of all of them; what the message names is given by keyword."""

    message: ClassVar[str] = "The cloud failed: {reason}"

    def __init__(self, **values: Any) -> None:
        super().__init__(self.message.format(**values))


class StateRefused(CloudError):
    """A directory that must be left alone, or one made with other options."""

    message = "State directory {path} cannot be used: {reason}"


class HostUnfit(CloudError):
    """The machine cannot carry the cloud as it is."""

    message = "This machine cannot run the cloud: {reason}"


class PortsTaken(HostUnfit):
    """TCP ports that we need have other owners."""

    message = "TCP ports are in use: {owners}; choose others with --port-base"


class HostUnknown(CloudError):
    """A compute host that is not there."""

    message = "There is no compute host {name!r}; there are {known}"


class HostBusy(CloudError):
    """A compute host in a state, or of a kind, that does not allow the act."""

    message = "Compute host {name} cannot be {act}: {reason}"


class PackagesFailed(CloudError):
    """Debian's packages could not be installed."""

    message = "Packages {packages} could not be installed: {reason}"


class CommandFailed(CloudError):
    """A preparing program failed."""

    message = "{command} failed: {reason}"


class ServiceFailed(CloudError):
    """A service is not what it should be; its last log lines are in the message."""

    message = "Service {name} {reason}; the last lines of {log}:\n{tail}"


class Aborted(CloudError):
    """Waiting has become pointless, since another step has failed."""

    message = "Service {name} was no longer waited for"


class SupervisorGone(CloudError):
    """No supervisor where one should be."""

    message = "The supervisor at {socket} does not answer: {reason}"
