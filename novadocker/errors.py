# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong here, as one tree.

::

    DockerDriverError
    ├── ConfigurationError       an option of nova.conf, or what it points to, cannot be used
    ├── EngineError              the Docker Engine answered with an error
    │   ├── EngineUnavailable    it cannot be reached: nothing was asked of it
    │   │   └── EngineReplyLost  it was asked and did not answer: it may have done it
    │   ├── EngineFailed         it answered with a fault of its own, HTTP 500
    │   ├── EngineUnsuitable     it is too old, or lacks what we require of it
    │   ├── EngineOutOfSpace     its disk is full
    │   └── ContainerNotFound    it knows no such container
    ├── ContainerConflict        a container that is not ours has the name that we need
    ├── ContainerExists          the instance has a container already
    ├── ContainerUnseen          its processes are alive and the engine calls it ended
    ├── ImageError               a Glance image cannot be booted here
    │   ├── ImageFormatRefused   its container format is not ``docker``
    │   ├── ImageInvalid         its bytes are not a sound saved image
    │   └── ImageFetchFailed     Glance did not deliver all of it
    ├── PolicyRefused            a flavor, image or server asks for what cannot be granted
    │   └── NotForContainers     it asks for what only a virtual machine has
    ├── ResizeRefused            a server cannot have another flavor, or not on that host
    ├── TransferFailed           files of a server did not come to where it is to be
    │   └── MoveAborted          somebody has aborted the move
    ├── MoveRefused              a server cannot go to another host while it runs
    ├── HandedOver               another host may run the server, and does not answer
    ├── RescueRefused            a server's files cannot be shown to another container
    ├── PasswordNotSet           a user of a server cannot have another password
    ├── CrashDumpRefused         a server's process would not notice the signal
    ├── ConsoleUnavailable       a server cannot have a console now
    ├── SnapshotError            a server could not be made an image
    ├── CheckpointError          a server's memory cannot be written to disk, or go on from there
    ├── VolumeError              a volume cannot be connected, mounted or let go
    │   ├── VolumeRefused        its mount point or its content is not accepted
    │   └── VolumeBusy           it is still held, so that it cannot be let go
    ├── BackendUnusable          a wiring backend of another package cannot be used
    ├── NotOnThisHost            a host has nothing of the kind that a wiring backend joins to
    ├── AgentError               the vRouter agent did not take what it was told
    │   └── AgentUnavailable     it cannot be reached
    ├── GateError                the container never came to its start gate, or left it too early
    └── WiringError              a container and its ports cannot be joined
        ├── VifRefused           the port's VIF type cannot be plugged into a container
        ├── TrunkRefused         the port has subports, which a container cannot use
        └── PlugTimeout          Neutron did not say in time that the port is up

Each class fixes a message; what it names is given by keyword. ``driver`` turns them into
Nova's own exceptions, and nothing else does.
"""

from typing import Any, ClassVar


class DockerDriverError(Exception):
    """Base of all of them.

    Args:
        **values: what the class's message names.
    """

    message: ClassVar[str] = "The Docker driver failed: {reason}"

    def __init__(self, **values: Any) -> None:
        self.values = values
        super().__init__(self.message.format(**values))


class ConfigurationError(DockerDriverError):
    """An option cannot be used; raised when nova-compute starts."""

    message = "[docker] {option} = {value} cannot be used: {reason}"


class EngineError(DockerDriverError):
    """The engine refused a call, or failed in it."""

    message = "The Docker Engine failed to {action}: {reason}"


class EngineUnavailable(EngineError):
    """The engine is not there."""

    message = (
        "The Docker Engine at {url} cannot be reached ({reason}); "
        "see whether it runs and whether nova-compute's user may use it"
    )


class EngineReplyLost(EngineUnavailable):
    """The engine was asked and nobody knows the outcome; ask again, or look."""

    message = (
        "The Docker Engine at {url} was asked to {action} and did not answer ({reason}); "
        "it may have done so, or may do so yet"
    )


class EngineFailed(EngineError):
    """The engine has a fault of its own, or the host has."""

    message = (
        "The Docker Engine failed to {action} by a fault of its own or of its host: {reason}; "
        "see the engine's log"
    )


class EngineUnsuitable(EngineError):
    """The engine is there and we will not work with it."""

    message = "The Docker Engine at {url} cannot be used: {reason}"


class EngineOutOfSpace(EngineError):
    """The engine has no room left."""

    message = "The Docker Engine failed to {action}: its disk is full ({reason})"


class ContainerNotFound(EngineError):
    """No container of that name."""

    message = "The Docker Engine knows no container {name}"


class ContainerConflict(DockerDriverError):
    """Somebody else's container stands where ours should."""

    message = (
        "Container {name} exists and was not made by this driver (it lacks the label "
        "{label}); rename or remove it, then try again"
    )


class ContainerExists(DockerDriverError):
    """An instance would get a second container."""

    message = "The instance has a container already, {name}; delete the server and make it anew"


class ContainerUnseen(DockerDriverError):
    """A second process would run beside the first."""

    message = (
        "Container {name} cannot start: the engine calls it {state}, yet its processes {pids} are "
        "alive, as after an upgrade without containerd-namespace; end them, then start the server"
    )


class ImageError(DockerDriverError):
    """An image that will not boot here."""

    message = "Image {image} cannot be booted: {reason}"


class ImageFormatRefused(ImageError):
    """Not a container image by Glance's own account."""

    message = (
        "Image {image} has container format {container_format}; servers on this host boot "
        "only images uploaded with --container-format docker"
    )


class ImageInvalid(ImageError):
    """The bytes are not those of a sound saved image."""

    message = "Image {image} is not a sound 'docker save' archive: {reason}"


class ImageFetchFailed(ImageError):
    """The bytes did not all come."""

    message = "Image {image} could not be fetched from Glance: {reason}"


class PolicyRefused(DockerDriverError):
    """A setting that will not be granted."""

    message = "{setting} = {value} is refused; accepted is {accepted}"


class TransferFailed(DockerDriverError):
    """Files of a server that did not arrive."""

    message = "The server's files were not moved: {reason}"


class MoveAborted(TransferFailed):
    """A move of a running server that somebody has aborted."""

    message = "The server's move was aborted, and it runs on"


class MoveRefused(DockerDriverError):
    """A move of a running server that will not be begun."""

    message = "The server cannot move while it runs: {reason}"


class HandedOver(DockerDriverError):
    """A server that may run on another host, so that nothing may be done with it here."""

    message = (
        "The server was handed over to host {host}, which has not told whether it runs there; "
        "it stays frozen here until nova-compute of {host} answers"
    )


class RescueRefused(DockerDriverError):
    """A rescue that this host cannot do."""

    message = "Container {name} cannot be rescued: {reason}"


class NotForContainers(PolicyRefused):
    """A setting of a machine, and a container is none."""

    message = "not for containers: {setting} = {value}, for {reason}; accepted is {accepted}"


class ResizeRefused(DockerDriverError):
    """A change of flavor or host that will not be begun."""

    message = "The server cannot be resized: {reason}"


class CrashDumpRefused(DockerDriverError):
    """No crash can be provoked."""

    message = "No crash dump of container {name} can be triggered: {reason}"


class ConsoleUnavailable(DockerDriverError):
    """No interactive console."""

    message = "There is no serial console of container {name}: {reason}"


class SnapshotError(DockerDriverError):
    """An image that did not come about."""

    message = "The server could not be made image {image}: {reason}"


class CheckpointError(DockerDriverError):
    """A server's memory that cannot be written to disk, or go on from there."""

    message = "The memory of the server cannot be written to disk or restored: {reason}"


class VolumeError(DockerDriverError):
    """A volume that cannot be used."""

    message = "Volume {volume} cannot be {action}: {reason}"


class VolumeRefused(VolumeError):
    """A mount point or a content that is not accepted; nothing was changed."""

    message = "Volume {volume} is refused: {reason}"


class VolumeBusy(VolumeError):
    """A volume that somebody holds; the server has it as before."""

    message = (
        "Volume {volume} is in use by {holders}; end that, or stop the server, and detach it again"
    )


class PasswordNotSet(DockerDriverError):
    """Nothing in the server can change its passwords, or it refused."""

    message = "The password of user {user} cannot be set: {reason}"


class GateError(DockerDriverError):
    """The container did not wait where it should."""

    message = "Container {name} did not wait at its start gate: {reason}"


class BackendUnusable(DockerDriverError):
    """Backend of another package that cannot be used; raised when nova-compute starts."""

    message = "The wiring backend for VIF type {vif_type}, {origin}, cannot be used: {reason}"


class NotOnThisHost(DockerDriverError):
    """A kind of port that a host does not have, and need not."""

    message = "This host has no ports of VIF type {vif_type}: {reason}"


class AgentError(DockerDriverError):
    """The vRouter agent answered with an error."""

    message = "The vRouter agent at {url} failed to {action}: {reason}"


class AgentUnavailable(AgentError):
    """The vRouter agent is not there."""

    message = (
        "The vRouter agent at {url} cannot be reached to {action} ({reason}); see whether it "
        "runs, and vrouter_agent_url in [docker]"
    )


class WiringError(DockerDriverError):
    """Ports and container could not be joined."""

    message = "Port {port} cannot be wired: {reason}"


class VifRefused(WiringError):
    """A kind of port that a container cannot have."""

    message = "Port {port} has VIF type {vif_type}, which a container cannot use: {reason}"


class TrunkRefused(WiringError):
    """A port with subports, for a container that cannot make interfaces for them."""

    message = (
        "Port {port} is that of trunk {trunk}, whose subports have the VLANs {vlans}: this server "
        "has no right to make interfaces for them; give it a port on each network, or a flavor "
        "that grants NET_ADMIN"
    )


class PlugTimeout(WiringError):
    """The event from Neutron never came."""

    message = "Neutron did not report port {port} as plugged within {seconds} s"
