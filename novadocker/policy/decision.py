# SPDX-License-Identifier: Apache-2.0
"""Decision on a container: flavor, image, operator's bounds and host's abilities into settings.

Everything not granted here is withheld: all capabilities are dropped but a few, setuid
programs gain nothing, and the engine's default seccomp and AppArmor profiles stay on.
"""

from collections.abc import Mapping
from types import MappingProxyType

from novadocker.errors import PolicyRefused
from novadocker.policy import extra_specs
from novadocker.policy.bounds import DEFAULT, Bounds
from novadocker.policy.explanation import explained
from novadocker.policy.flavor import Abilities, Flavor
from novadocker.policy.grant import Grant, granted
from novadocker.policy.profiles import Profile
from novadocker.policy.quota import quota_for
from novadocker.policy.settings import (
    GIB,
    MIB,
    SHM_BYTES,
    Limits,
    Rights,
    Settings,
)

LEAST_MEMORY_MIB = 6  # the engine's own floor; 0 would be no limit
MOST_SHARES = 262_144  # the kernel's
NO_PROPERTIES: Mapping[str, str] = MappingProxyType({})


def settings_for(
    flavor: Flavor,
    abilities: Abilities,
    bounds: Bounds = DEFAULT,
    image: Mapping[str, str] = NO_PROPERTIES,
) -> Settings:
    """Decide on limits and rights of a container.

    Args:
        flavor: the server's flavor.
        abilities: means of the host to enforce limits and rights.
        bounds: the operator's limits for flavors.
        image: properties of the image, which may reduce the flavor's rights.

    Returns:
        Settings with an explanation of each.

    Raises:
        PolicyRefused: a wish is beyond its bound; the message names both.
    """
    grant = granted(flavor, abilities, bounds, image)
    limits = _limits(flavor, abilities, image)
    rights = _rights(grant, flavor, abilities, bounds)
    return Settings(
        limits,
        rights,
        profile=grant.profile.name,
        root=grant.profile.root,
        explanations=explained(grant, limits, rights, abilities),
    )


def _limits(flavor: Flavor, abilities: Abilities, image: Mapping[str, str]) -> Limits:
    _refuse_less("vcpus", flavor.vcpus, 1)
    _refuse_less("ram", flavor.memory_mib, LEAST_MEMORY_MIB)
    _refuse_less("swap", flavor.swap_mib, 0)
    _refuse_less("disk", flavor.root_gib, 0)
    quota = quota_for(flavor.extra_specs, flavor.vcpus, abilities.data_disk)
    return Limits(
        memory_bytes=flavor.memory_mib * MIB,
        swap_bytes=flavor.swap_mib * MIB,
        nano_cpus=quota.nano_cpus,
        cpu_shares=min(quota.cpu_shares, MOST_SHARES),
        pids=_pids(flavor.extra_specs, abilities.pids, image),
        disk_bytes=flavor.root_gib * GIB if abilities.disk_limit else 0,
        rates=quota.rates,
        cpuset=cpuset(flavor, abilities),
    )


def cpuset(flavor: Flavor, abilities: Abilities) -> str:
    """Decide on the processors that a container may use.

    Args:
        flavor: the server's flavor, with processors that Nova dedicated to the server.
        abilities: means of the host, with the processors that servers share.

    Returns:
        Numbers in the form of cpuset(7); "" where the host's processors are not divided.

    Raises:
        PolicyRefused: the server has no processors of its own, and none of the host is shared.
    """
    numbers = flavor.processors or abilities.shared_processors
    if numbers is None:
        return ""
    if not numbers:
        raise PolicyRefused(
            setting="hw:cpu_policy",
            value="shared",
            accepted="dedicated, since [compute] cpu_dedicated_set has every processor here",
        )
    return ",".join(map(str, sorted(numbers)))


def _refuse_less(name: str, value: int, least: int) -> None:
    if value < least:
        raise PolicyRefused(setting=f"flavor {name}", value=value, accepted=f"{least} or more")


def _pids(specs: Mapping[str, str], default: int, image: Mapping[str, str]) -> int:
    most = extra_specs.PIDS.of_flavor(specs) or default
    asked = extra_specs.PIDS.of_image(image) or most
    if asked > most:
        raise PolicyRefused(
            setting=f"image property {extra_specs.PIDS.image_property}",
            value=asked,
            accepted=f"up to {most}, which is the flavor's",
        )
    return asked


def _rights(grant: Grant, flavor: Flavor, abilities: Abilities, bounds: Bounds) -> Rights:
    profile, specs = grant.profile, flavor.extra_specs
    size = flavor.memory_mib * MIB // 2
    return Rights(
        capabilities=tuple(sorted(profile.capabilities)),
        no_new_privileges=profile.no_new_privileges,
        seccomp=bounds.seccomp[profile.seccomp] if profile.seccomp else "",
        apparmor=_apparmor(specs, abilities, bounds),
        sysctls=dict(sorted(profile.sysctls.items())),
        read_only=profile.read_only,
        tmpfs={path: _mount_options(path, size, profile) for path in profile.tmpfs},
        ulimits=extra_specs.ULIMITS.of_flavor(specs) or (),
        shm_bytes=_shm_bytes(specs, flavor.memory_mib * MIB),
        runtime=_runtime(specs, abilities, bounds),
        init=profile.init,
        reaper=profile.reaper,
    )


def _mount_options(path: str, size: int, profile: Profile) -> str:
    # A container that writes nothing runs nothing that was written either, and without root
    # there is nobody who could share /run out.
    mode = "755" if path == "/run" and profile.root else "1777"
    run = "noexec" if profile.read_only else "exec"
    return f"rw,nosuid,nodev,{run},mode={mode},size={size}"


def _shm_bytes(specs: Mapping[str, str], memory: int) -> int:
    asked = extra_specs.SHM.of_flavor(specs)
    if asked is None:
        return SHM_BYTES  # whatever the memory, of which it is a part: a resize changes none of it
    if asked > memory:
        raise PolicyRefused(
            setting=f"flavor extra spec {extra_specs.SHM.extra_spec}",
            value=specs[extra_specs.SHM.extra_spec],
            accepted=f"up to the flavor's memory, {memory // MIB}m",
        )
    return asked


def _apparmor(specs: Mapping[str, str], abilities: Abilities, bounds: Bounds) -> str:
    asked = extra_specs.APPARMOR.of_flavor(specs)
    if asked is None:
        return ""
    named = ", ".join(sorted(bounds.apparmor)) or "there is none"
    if not abilities.apparmor or asked not in bounds.apparmor:
        raise PolicyRefused(
            setting=f"flavor extra spec {extra_specs.APPARMOR.extra_spec}",
            value=extra_specs.shown(asked),
            accepted=f"a name of [docker] apparmor_profiles ({extra_specs.shown(named)})"
            if abilities.apparmor
            else "to leave it out; this host has no AppArmor",
        )
    return asked


def _runtime(specs: Mapping[str, str], abilities: Abilities, bounds: Bounds) -> str:
    asked = extra_specs.RUNTIME.of_flavor(specs)
    there = sorted({abilities.default_runtime, *(bounds.runtimes & abilities.runtimes)})
    if asked is not None and asked not in there:
        raise PolicyRefused(
            setting=f"flavor extra spec {extra_specs.RUNTIME.extra_spec}",
            value=extra_specs.shown(asked),
            accepted=f"what [docker] runtimes lists and this host's engine has: {', '.join(there)}",
        )
    return asked or abilities.default_runtime
