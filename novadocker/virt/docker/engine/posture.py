# SPDX-License-Identifier: Apache-2.0
"""How an engine is set up: what of it concerns security and not what servers are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from novadocker.virt.docker.engine.values import EngineInfo

ICC = "com.docker.network.bridge.enable_icc"
LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True)
class Posture:
    """How an engine is set up.

    Attributes:
        info: what else it says of itself.
        experimental: whether features are on that nobody supports.
        insecure_registries: from where it takes images without knowing who sent them.
        authorization: plugins that every call is shown to.
        swarm: whether it is one of many under another's orders.
        talkative_bridge: whether containers that others make on it reach each other.
    """

    info: EngineInfo
    experimental: bool = False
    insecure_registries: tuple[str, ...] = ()
    authorization: tuple[str, ...] = ()
    swarm: bool = False
    talkative_bridge: bool = False

    @classmethod
    def parse(
        cls,
        version: Mapping[str, Any],
        info: Mapping[str, Any],
        networks: Sequence[Mapping[str, Any]],
    ) -> Self:
        """Read the engine's answers.

        Args:
            version: the body of ``GET /version``.
            info: the body of ``GET /info``.
            networks: the body of ``GET /networks``.

        Returns:
            The value.
        """
        registries = (info.get("RegistryConfig") or {}).get("InsecureRegistryCIDRs") or ()
        named = (info.get("RegistryConfig") or {}).get("IndexConfigs") or {}
        bridges = [each for each in networks if each["Name"] == "bridge"]
        return cls(
            info=EngineInfo.parse(version, info),
            experimental=bool(info.get("ExperimentalBuild")),
            insecure_registries=(
                *(each for each in registries if each not in LOOPBACK),
                *(name for name, each in named.items() if not each.get("Secure", True)),
            ),
            authorization=tuple((info.get("Plugins") or {}).get("Authorization") or ()),
            swarm=(info.get("Swarm") or {}).get("LocalNodeState", "inactive") != "inactive",
            talkative_bridge=any(
                (each.get("Options") or {}).get(ICC) != "false" for each in bridges
            ),
        )
