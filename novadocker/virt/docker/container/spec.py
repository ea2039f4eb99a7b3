# SPDX-License-Identifier: Apache-2.0
"""Description of a server's container, from plain values."""

import shlex
from collections.abc import Mapping

from novadocker.errors import ImageError, PolicyRefused
from novadocker.gate.start_gate import StartGate
from novadocker.policy import Settings
from novadocker.policy.extra_specs import shown
from novadocker.virt.docker.container.accounts import ROOTS
from novadocker.virt.docker.container.labels import (
    LABEL_HEALTH,
    LABEL_HOST,
    LABEL_IMAGE,
    LABEL_INSTANCE,
    LABEL_PROBE,
    LABEL_PROJECT,
    LABEL_ROLE,
    RESCUE,
)
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import ContainerSpec, Image, Probe, Shared
from novadocker.virt.docker.wiring import name_files

UID = 2  # the field of passwd(5)
PROBE_BYTES = 16 * 1024


def container_spec(
    server: Server,
    image: Image,
    settings: Settings,
    binds: Mapping[str, str],
    log_max_size: str,
    shared: tuple[Shared, ...] = (),
    first_words: tuple[str, ...] = (),
) -> ContainerSpec:
    """Describe the container of a server.

    Args:
        server: server as requested.
        image: image as known to the engine.
        settings: limits and rights.
        binds: paths on the host by the paths where the container sees them.
        log_max_size: size of its console log before rotation.
        shared: files of another container.
        first_words: program before the image's command, which becomes the command.

    Returns:
        The container to be made; its first program is the start gate.

    Raises:
        ImageError: the image has no command and the server gives it none.
        PolicyRefused: ``os_command_line`` or a metadata key cannot be used, or the image runs as
            root and must not.
    """
    refuse_root(settings, image.user)
    return ContainerSpec(
        name=server.container,
        image=image.id,
        hostname=name_files.kernel_name(server.hostname),
        entrypoint=StartGate.entrypoint() + first_words,
        command=_command(server, image),
        environment=_environment(server.metadata),
        labels={
            LABEL_INSTANCE: server.uuid,
            LABEL_PROJECT: server.project,
            LABEL_HOST: server.host,
            LABEL_IMAGE: server.image,
            **({LABEL_ROLE: RESCUE} if server.rescue else {}),
            **_probe_labels(server, image.probe),
        },
        read_only_files=binds,
        settings=settings,
        log_max_size=log_max_size,
        shared=shared,
    )


def refuse_root(settings: Settings, user: str, passwd: str | None = None) -> None:
    """Refuse an image running as root under a profile without root.

    Args:
        settings: limits and rights.
        user: the image's USER.
        passwd: the image's passwd(5), where it is known: any name may be root's in it.

    Raises:
        PolicyRefused: it is root, or by that file a name of root's, or nobody's.
    """
    if settings.root or not may_be_root(user, passwd):
        return
    raise PolicyRefused(
        setting="image's USER",
        value=shown(user) or "root",
        accepted=f"a user other than root under profile {settings.profile}",
    )


def may_be_root(user: str, passwd: str | None = None) -> bool:
    """Tell whether an image's process could be root.

    Args:
        user: the image's USER.
        passwd: the image's passwd(5), where it is known: any name may be root's in it.
    """
    name = user.partition(":")[0]
    if name in ROOTS:
        return True
    if name.isascii() and name.isdecimal():
        return _is_roots(name)
    if passwd is None:
        return False
    # The engine takes the first line of a name, and what is no number in it for 0.
    found = [line.strip().split(":") for line in passwd.split("\n")]
    uids = ["".join(fields[UID : UID + 1]) for fields in found if fields[0].strip() == name]
    return not uids or any(map(_is_roots, uids))


def _is_roots(uid: str) -> bool:
    return not (uid.isascii() and uid.isdecimal() and uid.strip("0"))


def _probe_labels(server: Server, probe: Probe | None) -> dict[str, str]:
    # In labels, since these outlive nova-compute, and an image may be gone before its servers.
    if not probe:
        return {}
    written = probe.written()
    if len(written) > PROBE_BYTES:
        raise PolicyRefused(
            setting="image's HEALTHCHECK",
            value=f"{len(written)} bytes",
            accepted=f"at most {PROBE_BYTES} bytes, since each event of the engine repeats it",
        )
    return {LABEL_HEALTH: server.host, LABEL_PROBE: written}


def _command(server: Server, image: Image) -> tuple[str, ...]:
    command = image.command
    if server.command_line is not None:
        try:
            command = tuple(shlex.split(server.command_line))
        except ValueError as error:
            raise PolicyRefused(
                setting="image property os_command_line",
                value=repr(server.command_line),
                accepted=f"words quoted as in a shell ({error})",
            ) from error
    if not image.entrypoint + command:
        raise ImageError(
            image=server.image,
            reason="it has neither ENTRYPOINT nor CMD; set its property os_command_line",
        )
    return image.entrypoint + command


def _environment(metadata: Mapping[str, str]) -> Mapping[str, str]:
    for key in metadata:
        if "=" in key:
            raise PolicyRefused(
                setting="server metadata key",
                value=repr(key),
                accepted="a name without '=', since metadata become environment variables",
            )
    return metadata
