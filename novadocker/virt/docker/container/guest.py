# SPDX-License-Identifier: Apache-2.0
"""One instance's container: create, start, stop, state, console log."""

import tenacity
from oslo_log import log as logging

from novadocker.errors import (
    ContainerConflict,
    ContainerNotFound,
    DockerDriverError,
    EngineError,
    EngineUnavailable,
    PasswordNotSet,
)
from novadocker.policy import Settings
from novadocker.virt.docker.container.accounts import Login
from novadocker.virt.docker.container.labels import LABEL_INSTANCE, LABEL_ROLE, container_name
from novadocker.virt.docker.engine import (
    Container,
    ContainerSpec,
    Engine,
    Health,
    HealthStatus,
    State,
)
from novadocker.virt.docker.host import strays

LOG = logging.getLogger(__name__)

CONSOLE_BYTES = 100 * 1024
CONSOLE_LINES = 10_000
# The line ends by itself: standard input stays open.
CHPASSWD = (
    "/bin/sh",
    "-c",
    'PATH=$PATH:/usr/sbin:/sbin; read -r line && printf "%s\\n" "$line" | chpasswd -e',
)
NO_PROGRAM = (126, 127)
THAW_SECONDS = 60
THAW_PAUSE = 0.5


class Guest:
    """Container of one instance, before, during and after its existence.

    Args:
        engine: home of the container.
        name: container's name.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.name = name

    def find(self) -> Container | None:
        """Look for the container.

        Returns:
            The container as it is now, or None.

        Raises:
            ContainerConflict: a container that is not ours has its name.
        """
        container = self._engine.find(self.name)
        if container and LABEL_INSTANCE not in container.labels:
            raise ContainerConflict(name=self.name, label=LABEL_INSTANCE)
        return container

    def get(self) -> Container:
        """Return the container as found now.

        Returns:
            The container.

        Raises:
            ContainerNotFound: it does not exist.
            ContainerConflict: a container that is not ours has its name.
        """
        container = self.find()
        if container is None:
            raise ContainerNotFound(name=self.name)
        return container

    def create(self, spec: ContainerSpec) -> None:
        """Make the container.

        Args:
            spec: description of the container.
        """
        self._engine.create(spec)

    def start(self) -> Container:
        """Start the container up to its gate; a running container is left alone.

        Returns:
            The container, running.

        Raises:
            ContainerNotFound: it does not exist.
            PolicyRefused: its lists of users are no files that can be read.
            ContainerUnseen: a process of an earlier start is alive behind the engine's back.
        """
        container = self.get()
        if container.alive:
            return container
        strays.refuse(container)
        self._engine.start(self.name)
        return self._engine.inspect(self.name)

    def stop(self, timeout: int) -> None:
        """End the first process by the image's stop signal, by force after a time; safe to repeat.

        Args:
            timeout: seconds until the end by force; 0 is at once.

        Raises:
            ContainerNotFound: it does not exist.
        """
        if self.get().state is State.PAUSED:
            self._engine.unpause(self.name)  # what is frozen cannot be signalled
        self._engine.stop(self.name, timeout)

    def pause(self) -> None:
        """Freeze the container; safe to repeat.

        Raises:
            ContainerNotFound: it does not exist.
        """
        if self.get().state is not State.PAUSED:
            self._engine.pause(self.name)

    def unpause(self) -> None:
        """Thaw the container; safe to repeat.

        Raises:
            ContainerNotFound: it does not exist.
        """
        if self.get().state is State.PAUSED:
            self._engine.unpause(self.name)

    def commit(self, tag: str, *, live: bool) -> str:
        """Make an image of the container in its present state.

        Args:
            tag: "REPOSITORY:TAG", the image's name.
            live: True lets the container run on; else it stands still until the image is made.

        Returns:
            The image's id.

        Raises:
            ContainerNotFound: it does not exist.
        """
        was = self.get().state
        try:
            return self._engine.commit(self.name, tag, pause=not live)
        except EngineError:
            if was is State.RUNNING and not live:
                self._thaw()
            raise

    def remove(self) -> None:
        """End and remove the container; absence is no error.

        Raises:
            ContainerConflict: a container that is not ours has its name; it is left alone.
        """
        if self.find():
            self._engine.remove(self.name)

    def set_password(self, login: Login, settings: Settings) -> None:
        """Set a user's password in a running container, by the image's own chpasswd(8).

        Args:
            login: user and hash; no list of processes shows the password.
            settings: limits and rights.

        Raises:
            ContainerNotFound: the container does not exist.
            PasswordNotSet: the container may not run chpasswd as root, cannot write the list of
                passwords, or has no chpasswd; or chpasswd refused.
            PolicyRefused: the lists of users are no files that can be read.
        """
        if not settings.root:
            # The image is the tenant's, so its shell is: run as root, it would be any program.
            reason = f"chpasswd needs root, and profile {settings.profile} runs nothing as root"
            raise PasswordNotSet(user=login.user, reason=reason)
        if settings.rights.read_only:
            reason = "the root file system is read-only"
            raise PasswordNotSet(user=login.user, reason=reason)
        code, _ = self._engine.run(self.name, CHPASSWD, stdin=login.line.encode(), user="0")
        if code in NO_PROGRAM:
            reason = "the image has no chpasswd, which servers set passwords with"
        else:
            reason = f"chpasswd ended with exit code {code}; does the image have that user?"
        if code:
            raise PasswordNotSet(user=login.user, reason=reason)

    def console(self, health: Health | None = None) -> bytes:
        """Return the end of the process's output, and how the process ended.

        Args:
            health: result of the driver's probes, told while the server is unhealthy.

        Returns:
            At most 100 KiB, the newest last.

        Raises:
            ContainerNotFound: the container does not exist.
        """
        container = self.get()
        output = self._engine.tail(self.name, CONSOLE_LINES, CONSOLE_BYTES)
        return output + _epitaph(container, health or container.health).encode()

    def _thaw(self) -> None:
        # The engine thaws what it froze, unless it went away in the middle, and then the
        # container is as it left it when it is back; or it works on when we wait no longer.
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(EngineUnavailable),
            stop=tenacity.stop_after_delay(THAW_SECONDS),
            wait=tenacity.wait_fixed(THAW_PAUSE),
            reraise=True,
        )
        try:
            attempts(self.unpause)
        except DockerDriverError as error:
            LOG.warning("Cannot see whether %s is still paused: %s", self.name, error)


def in_service(engine: Engine, uuid: str) -> Guest:
    """Return the container in service for an instance.

    It is the instance's own, or, while the instance is rescued, the one that stands in for it.
    One that never ran is no stand-in: a rescue was broken off.

    Args:
        engine: home of the container.
        uuid: id of the instance.

    Returns:
        The container, which may not exist.
    """
    rescue = engine.find(container_name(uuid, rescue=True))
    stands_in = rescue and LABEL_ROLE in rescue.labels and rescue.state is not State.CREATED
    return Guest(engine, container_name(uuid, rescue=bool(stands_in)))


def _epitaph(container: Container, health: Health | None = None) -> str:
    if container.alive or container.state is State.CREATED:
        return _complaint(health)
    why = ", out of memory" if container.out_of_memory else ""
    return (
        f"\r\n[nova-docker] the server's process ended with exit code "
        f"{container.exit_code}{why} at {container.finished_at}\r\n"
    )


def _complaint(health: Health | None) -> str:
    if health is None or health.status is not HealthStatus.UNHEALTHY:
        return ""
    output = health.output.strip().replace("\n", "\r\n")
    return (
        f"\r\n[nova-docker] the image's HEALTHCHECK failed {health.failures} times, the last "
        f"with exit code {health.exit_code} at {health.probed_at}:\r\n{output}\r\n"
    )
