# SPDX-License-Identifier: Apache-2.0
"""Settings of an engine for security, apart from the making of servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from novadocker.virt.docker.engine.values import EngineInfo

ICC = "com.docker.network.bridge.enable_icc"
LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True)
class Posture:
    """Security settings of an engine.

    Attributes:
        info: versions and abilities of the engine.
        experimental: True with features on that nobody supports.
        insecure_registries: registries whose images are taken unverified.
        authorization: names of the authorization plugins.
        swarm: True for a member of a swarm, under another engine's orders.
        talkative_bridge: True lets containers of others on Docker's bridge reach each other.
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
