# SPDX-License-Identifier: Apache-2.0
"""Account of a host's abilities, compared before processes go from one host to another."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from novadocker.checkpoint.places import RUNTIME_NAME
from novadocker.errors import CheckpointError
from novadocker.virt.docker.checkpoint import criu
from novadocker.virt.docker.engine import EngineInfo

_PROCESSOR = Path("/proc/cpuinfo")
_SHOWN = 5


@dataclass(frozen=True)
class Account:
    """Account of one host.

    Attributes:
        machine: architecture, as the kernel names it.
        kernel: release of the kernel.
        features: names of the processor's features.
        criu: version of CRIU.
        cgroups: version of the control groups.
        root: where the engine keeps its data; ends in the numbers of the containers' root.
        runtime: runtime of new containers.
    """

    machine: str
    kernel: str
    features: tuple[str, ...]
    criu: tuple[int, int]
    cgroups: str
    root: str
    runtime: str

    @classmethod
    def of(cls, info: EngineInfo, program: str) -> Self:
        """Take a host's account.

        Args:
            info: engine of the host.
            program: name or path of CRIU by ``[docker] criu``.

        Raises:
            CheckpointError: the host has no usable CRIU, or not the runtime.
        """
        path = criu.find(program)
        if info.default_runtime != RUNTIME_NAME:
            raise CheckpointError(
                reason=f"the engine's default runtime is {info.default_runtime}, not {RUNTIME_NAME}"
            )
        return cls(
            machine=info.architecture,
            kernel=info.kernel,
            features=_features(_PROCESSOR.read_text()),
            criu=criu.version(path),
            cgroups=info.cgroup_version,
            root=Path(info.root_directory).suffix and Path(info.root_directory).name,
            runtime=info.default_runtime,
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Read an account that came from another host.

        Args:
            told: names and values, as ``as_dictionary`` gives them.
        """
        values = {name: told[name] for name in cls.__dataclass_fields__}
        lists = {"features": tuple(told["features"]), "criu": tuple(told["criu"])}
        return cls(**{**values, **lists})

    def as_dictionary(self) -> dict[str, Any]:
        """Return the account in the form that travels between hosts."""
        return asdict(self)


def refuse(source: Account, destination: Account) -> None:
    """Refuse a host where running processes of another host could not go on.

    Args:
        source: host of the processes.
        destination: host that they are to go to.

    Raises:
        CheckpointError: there is a difference that they would not survive.
    """
    if source.machine != destination.machine:
        raise CheckpointError(
            reason=f"this host is {source.machine} and the destination {destination.machine}"
        )
    missing = sorted(set(source.features) - set(destination.features))
    if missing:
        names = " ".join(missing[:_SHOWN]) + (" ..." if len(missing) > _SHOWN else "")
        raise CheckpointError(reason=f"the destination's processor lacks {names}")
    if _release(destination.kernel) < _release(source.kernel):
        raise CheckpointError(
            reason=f"the destination's kernel {destination.kernel} is older than {source.kernel}"
        )
    if destination.criu < source.criu:
        versions = ".".join(map(str, destination.criu)), ".".join(map(str, source.criu))
        raise CheckpointError(
            reason=f"the destination's CRIU {versions[0]} is older than {versions[1]}"
        )
    if destination.cgroups != source.cgroups:
        raise CheckpointError(
            reason=f"the destination has control groups of version {destination.cgroups}, this "
            f"host has version {source.cgroups}"
        )
    if destination.root != source.root:
        raise CheckpointError(
            reason="the hosts map the users of containers to other numbers (userns-remap): "
            f"{source.root or 'none'} here, {destination.root or 'none'} there"
        )


def _features(text: str) -> tuple[str, ...]:
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return tuple(sorted(value.split()))
    return ()


def _release(text: str) -> tuple[int, ...]:
    return tuple(_numbers(text.partition("-")[0].split(".")[:2]))


def _numbers(words: Iterable[str]) -> Iterable[int]:
    return (int(word) for word in words if word.isdecimal())
