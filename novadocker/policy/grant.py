# SPDX-License-Identifier: Apache-2.0
"""Rights of a container in steps: a profile, additions by the flavor, reductions by the image.

Pure. Each step returns another ``Grant``; the origin of each right is kept beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from novadocker.errors import PolicyRefused
from novadocker.policy import extra_specs
from novadocker.policy.bounds import Bounds
from novadocker.policy.capabilities import ORDINARY
from novadocker.policy.extra_specs import ExtraSpec, shown
from novadocker.policy.flavor import Abilities, Flavor
from novadocker.policy.profiles import RESTRICTED, Profile
from novadocker.policy.sysctls import ALWAYS, known

_OF_FLAVOR = f"flavor {extra_specs.SYSCTL}"  # origins of parameters that a flavor names itself


@dataclass(frozen=True)
class Grant:
    """Rights on their way to a container.

    Attributes:
        profile: rights so far, under the name of the profile that they began with.
        sources: origins by the name of a setting, a capability or a kernel parameter.
    """

    profile: Profile
    sources: Mapping[str, str] = field(default_factory=dict)

    def with_(self, profile: Profile, source: str = "", settings: Iterable[str] = ()) -> "Grant":
        """Return the grant after one more decision.

        Args:
            profile: rights after the decision.
            source: origin of the decision.
            settings: names that the decision is the origin of.
        """
        return Grant(profile, {**self.sources, **dict.fromkeys(settings, source)})


def granted(
    flavor: Flavor, abilities: Abilities, bounds: Bounds, image: Mapping[str, str]
) -> Grant:
    """Decide on the rights of a container.

    Args:
        flavor: the server's flavor.
        abilities: means of the host to enforce them.
        bounds: the operator's limits for flavors.
        image: properties of the image.

    Returns:
        Rights with their origins.

    Raises:
        PolicyRefused: a wish is beyond its bound; the message names both.
    """
    extra_specs.refuse_unknown(flavor.extra_specs, image)
    grant = _begun(flavor.extra_specs, bounds)
    _refuse_without_userns(grant, abilities)
    return _narrowed(_added(grant, flavor.extra_specs, bounds), image, bounds)


def _begun(specs: Mapping[str, str], bounds: Bounds) -> Grant:
    asked = extra_specs.PROFILE.of_flavor(specs)
    if asked is not None and asked not in bounds.profiles:
        _refuse(extra_specs.PROFILE, asked, _list(bounds.profiles))
    source = "nova.conf [docker] default_profile" if asked is None else _flavor(extra_specs.PROFILE)
    profile = bounds.profiles[asked or bounds.default_profile]
    rights = (
        *profile.capabilities,
        *profile.sysctls,
        "read_only",
        "seccomp",
        "no_new_privileges",
        "reaper",
    )
    sources = {
        **dict.fromkeys(ALWAYS, "always"),
        **dict.fromkeys(rights, f"profile {profile.name}"),
        "profile": source,
    }
    return Grant(replace(profile, sysctls={**ALWAYS, **profile.sysctls}), sources)


def _refuse_without_userns(grant: Grant, abilities: Abilities) -> None:
    lifted = not grant.profile.no_new_privileges or grant.profile.init
    if lifted and not abilities.userns:
        _refuse(
            extra_specs.PROFILE,
            grant.profile.name,
            "a host with user namespaces, for setuid programs gain something by it (trait "
            "CUSTOM_DOCKER_USERNS)",
        )


def _added(grant: Grant, specs: Mapping[str, str], bounds: Bounds) -> Grant:
    """Add the flavor's capabilities and parameters, and drop those of ``docker:cap_drop``."""
    add = frozenset(extra_specs.CAP_ADD.of_flavor(specs) or ())
    if beyond := sorted(add - bounds.capabilities):
        named = [*sorted(bounds.capabilities - {*ORDINARY}), *sorted(bounds.capabilities)]
        _refuse(extra_specs.CAP_ADD, beyond[0], f"{_list(named)} ([docker] allowed_capabilities)")
    new = add - grant.profile.capabilities
    every = grant.profile.capabilities | add
    drop = frozenset(extra_specs.CAP_DROP.of_flavor(specs) or ())
    profile = replace(grant.profile, capabilities=every - drop)
    grant = grant.with_(profile, _flavor(extra_specs.CAP_ADD), new)
    grant = _with_sysctls(grant, specs, bounds)
    if (seccomp := extra_specs.SECCOMP.of_flavor(specs)) is not None:
        _refuse_unnamed(extra_specs.SECCOMP, seccomp, bounds.seccomp, "[docker] seccomp_profiles")
        profile = replace(grant.profile, seccomp=seccomp)
        grant = grant.with_(profile, _flavor(extra_specs.SECCOMP), ["seccomp"])
    grant = _with_init(grant, extra_specs.INIT.of_flavor(specs), "flavor")
    return _read_only(grant, extra_specs.READ_ONLY.of_flavor(specs), "flavor")


def _with_sysctls(grant: Grant, specs: Mapping[str, str], bounds: Bounds) -> Grant:
    asked = extra_specs.sysctls_of(specs)
    for name, value in asked.items():
        if not known(name, bounds.sysctls):
            raise PolicyRefused(
                setting=f"flavor extra spec {extra_specs.SYSCTL}{name}",
                value=shown(value),
                accepted="a parameter among [docker] allowed_sysctls",
            )
    profile = replace(grant.profile, sysctls={**grant.profile.sysctls, **asked})
    sources = {name: f"{_OF_FLAVOR}{name}" for name in asked}
    return Grant(profile, {**grant.sources, **sources})


def _narrowed(grant: Grant, image: Mapping[str, str], bounds: Bounds) -> Grant:
    """Reduce the rights to an image's wishes; rights that the image needs must be granted."""
    flavors = grant.profile
    if (asked := extra_specs.PROFILE.of_image(image)) is not None:
        grant = _chosen(grant, asked, bounds)
    needs = frozenset(extra_specs.CAP_ADD.of_image(image) or ())
    if beyond := sorted(needs - flavors.capabilities):
        given = _list(sorted(flavors.capabilities - {*ORDINARY})) or "those of its profile"
        _refuse(extra_specs.CAP_ADD, beyond[0], f"what the flavor grants: {given}", image=True)
    drop = frozenset(extra_specs.CAP_DROP.of_image(image) or ())
    kept = (grant.profile.capabilities | needs) - drop
    grant = grant.with_(replace(grant.profile, capabilities=kept))
    if (seccomp := extra_specs.SECCOMP.of_image(image)) is not None:
        within = {flavors.seccomp} if flavors.seccomp else bounds.seccomp
        _refuse_unnamed(extra_specs.SECCOMP, seccomp, within, "the flavor", image=True)
        profile = replace(grant.profile, seccomp=seccomp)
        grant = grant.with_(profile, _image(extra_specs.SECCOMP), ["seccomp"])
    grant = _with_init(grant, extra_specs.INIT.of_image(image), "image")
    return _read_only(grant, extra_specs.READ_ONLY.of_image(image), "image")


def _chosen(grant: Grant, asked: str, bounds: Bounds) -> Grant:
    """Take an image's profile, whole, if the profile is within the flavor's rights."""
    given = grant.profile
    within = sorted(each for each, profile in bounds.profiles.items() if profile.within(given))
    if asked not in within:
        accepted = f"what is within the flavor's {given.name}: {_list(within)}"
        _refuse(extra_specs.PROFILE, asked, accepted, image=True)
    named = bounds.profiles[asked]
    # Values stay the flavor's: a parameter may be a restriction, which no image lifts.
    sysctls = {
        name: value
        for name, value in given.sysctls.items()
        if name in {*ALWAYS, *named.sysctls} or grant.sources[name].startswith(_OF_FLAVOR)
    }
    # The whole profile, so that a field added to Profile later is not left behind.
    profile = replace(named, sysctls=sysctls)
    changed = [
        each.name
        for each in fields(Profile)
        if getattr(profile, each.name) != getattr(given, each.name)
    ]
    return grant.with_(profile, _image(extra_specs.PROFILE), ["profile", *changed])


def _with_init(grant: Grant, asked: bool | None, whose: str) -> Grant:  # noqa: FBT001 - a wish
    if asked is None:
        return grant
    image = whose == "image"
    if asked and grant.profile.init:
        # systemd is nothing but process 1.
        accepted = f"false under profile {grant.profile.name}: process 1 is the image's own init"
        _refuse(extra_specs.INIT, "true", accepted, image=image)
    source = _image(extra_specs.INIT) if image else _flavor(extra_specs.INIT)
    return grant.with_(replace(grant.profile, reaper=asked), source, ["reaper"])


def _read_only(grant: Grant, asked: bool | None, whose: str) -> Grant:  # noqa: FBT001 - a wish
    if grant.profile.read_only or asked:
        image = whose == "image"
        if asked is False:
            accepted = f"true under profile {grant.profile.name} of this flavor"
            _refuse(extra_specs.READ_ONLY, "false", accepted, image=image)
        tmpfs = tuple(sorted({*grant.profile.tmpfs, *RESTRICTED.tmpfs}))
        profile = replace(grant.profile, read_only=True, tmpfs=tmpfs)
        if grant.profile.read_only:
            return grant.with_(profile)
        source = _image(extra_specs.READ_ONLY) if image else _flavor(extra_specs.READ_ONLY)
        return grant.with_(profile, source, ["read_only"])
    return grant


def _refuse_unnamed(
    extra_spec: ExtraSpec[str], asked: str, names: Iterable[str], where: str, *, image: bool = False
) -> None:
    if asked not in names:
        listed = _list(sorted(names))
        _refuse(extra_spec, asked, f"a name of {where}: {listed or 'there is none'}", image=image)


def _refuse(
    extra_spec: ExtraSpec[object], value: str, accepted: str, *, image: bool = False
) -> None:
    name = (
        f"image property {extra_spec.image_property}"
        if image
        else f"flavor extra spec {extra_spec.extra_spec}"
    )
    raise PolicyRefused(setting=name, value=shown(value), accepted=accepted)


def _list(names: Iterable[str]) -> str:
    """Join names, as many as the 255 characters of a Nova fault have room for."""
    return shown(", ".join(dict.fromkeys(names)))


def _flavor(extra_spec: ExtraSpec[object]) -> str:
    return f"flavor {extra_spec.extra_spec}"


def _image(extra_spec: ExtraSpec[object]) -> str:
    return f"image {extra_spec.image_property}"
