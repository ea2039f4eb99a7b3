# SPDX-License-Identifier: Apache-2.0
"""Errors of the launcher, as a tree.

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
    """Base of the launcher's errors; values of the message are given by keyword."""

    message: ClassVar[str] = "The cloud failed: {reason}"

    def __init__(self, **values: Any) -> None:
        super().__init__(self.message.format(**values))


class StateRefused(CloudError):
    """Directory of somebody else, or made with other options."""

    message = "State directory {path} cannot be used: {reason}"


class HostUnfit(CloudError):
    """Machine without the means for a cloud."""

    message = "This machine cannot run the cloud: {reason}"


class PortsTaken(HostUnfit):
    """Needed TCP ports with other owners."""

    message = "TCP ports are in use: {owners}; choose others with --port-base"


class HostUnknown(CloudError):
    """Compute host of an unknown name."""

    message = "There is no compute host {name!r}; there are {known}"


class HostBusy(CloudError):
    """Compute host in a state, or of a kind, against the act."""

    message = "Compute host {name} cannot be {act}: {reason}"


class PackagesFailed(CloudError):
    """Debian's packages could not be installed."""

    message = "Packages {packages} could not be installed: {reason}"


class CommandFailed(CloudError):
    """A preparing program failed."""

    message = "{command} failed: {reason}"


class ServiceFailed(CloudError):
    """Service that ended or is not ready; the message has the end of the log."""

    message = "Service {name} {reason}; the last lines of {log}:\n{tail}"


class Aborted(CloudError):
    """Waiting has become pointless, since another step has failed."""

    message = "Service {name} was no longer waited for"


class SupervisorGone(CloudError):
    """Supervisor without an answer."""

    message = "The supervisor at {socket} does not answer: {reason}"
