# SPDX-License-Identifier: Apache-2.0
"""What a container may do, step by step: the profile, what its flavor adds, what its image takes.

Pure. Each step returns another ``Grant``; who said what is kept beside each right.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from novadocker.errors import PolicyRefused
from novadocker.policy import extra_specs
from novadocker.policy.bounds import Bounds
from novadocker.policy.capabilities import ORDINARY
from novadocker.policy.extra_specs import Word, shown
from novadocker.policy.flavor import Abilities, Flavor
from novadocker.policy.profiles import RESTRICTED, Profile
from novadocker.policy.sysctls import ALWAYS, known


@dataclass(frozen=True)
class Grant:
    """Rights on their way to a container.

    Attributes:
        profile: the rights; its name is that of the profile that they began with.
        sources: who said so, by the name of a setting, a capability or a kernel parameter.
    """

    profile: Profile
    sources: Mapping[str, str] = field(default_factory=dict)

    def but(self, source: str, *settings: str, **changes: object) -> "Grant":
        """Change it.

        Args:
            source: who says so.
            *settings: what of it is named so.
            **changes: to the profile.

        Returns:
            The other one.
        """
        sources = {**self.sources, **dict.fromkeys(settings, source)}
        return Grant(replace(self.profile, **changes), sources)  # type: ignore[arg-type]


def granted(
    flavor: Flavor, abilities: Abilities, bounds: Bounds, image: Mapping[str, str]
) -> Grant:
    """Return what a container of this flavor and image may do on this host.

    Args:
        flavor: what was asked for.
        abilities: what the host can enforce.
        bounds: what its operator lets flavors grant.
        image: properties of the image.

    Returns:
        The rights.

    Raises:
        PolicyRefused: something asked for is beyond its bound, which is named.
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
    rights = (*profile.capabilities, *profile.sysctls, "read_only", "seccomp", "no_new_privileges")
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
    """Add what a flavor grants, and take what it withholds."""
    add = frozenset(extra_specs.CAP_ADD.of_flavor(specs) or ())
    if beyond := sorted(add - bounds.capabilities):
        named = [*sorted(bounds.capabilities - {*ORDINARY}), *sorted(bounds.capabilities)]
        _refuse(extra_specs.CAP_ADD, beyond[0], f"{_list(named)} ([docker] allowed_capabilities)")
    new = add - grant.profile.capabilities
    every = grant.profile.capabilities | add
    drop = frozenset(extra_specs.CAP_DROP.of_flavor(specs) or ())
    grant = grant.but(_flavor(extra_specs.CAP_ADD), *new, capabilities=every - drop)
    grant = _with_sysctls(grant, specs, bounds)
    if (seccomp := extra_specs.SECCOMP.of_flavor(specs)) is not None:
        _refuse_unnamed(extra_specs.SECCOMP, seccomp, bounds.seccomp, "[docker] seccomp_profiles")
        grant = grant.but(_flavor(extra_specs.SECCOMP), "seccomp", seccomp=seccomp)
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
    every = {**grant.profile.sysctls, **asked}
    for name in asked:
        grant = grant.but(f"flavor {extra_specs.SYSCTL}{name}", name)
    return grant.but("", sysctls=every)


def _narrowed(grant: Grant, image: Mapping[str, str], bounds: Bounds) -> Grant:
    """Take what an image does without; what it needs must be there."""
    flavors = grant.profile
    if (asked := extra_specs.PROFILE.of_image(image)) is not None:
        grant = _chosen(grant, asked, bounds)
    needs = frozenset(extra_specs.CAP_ADD.of_image(image) or ())
    if beyond := sorted(needs - flavors.capabilities):
        given = _list(sorted(flavors.capabilities - {*ORDINARY})) or "those of its profile"
        _refuse(extra_specs.CAP_ADD, beyond[0], f"what the flavor grants: {given}", image=True)
    drop = frozenset(extra_specs.CAP_DROP.of_image(image) or ())
    kept = (grant.profile.capabilities | needs) - drop
    grant = grant.but("", capabilities=kept)
    if (seccomp := extra_specs.SECCOMP.of_image(image)) is not None:
        within = {flavors.seccomp} if flavors.seccomp else bounds.seccomp
        _refuse_unnamed(extra_specs.SECCOMP, seccomp, within, "the flavor", image=True)
        grant = grant.but(_image(extra_specs.SECCOMP), "seccomp", seccomp=seccomp)
    return _read_only(grant, extra_specs.READ_ONLY.of_image(image), "image")


def _chosen(grant: Grant, asked: str, bounds: Bounds) -> Grant:
    """Take an image's profile where it gives nothing that the flavor does not."""
    given = grant.profile
    within = sorted(each for each, profile in bounds.profiles.items() if profile.within(given))
    if asked not in within:
        accepted = f"what is within the flavor's {given.name}: {_list(within)}"
        _refuse(extra_specs.PROFILE, asked, accepted, image=True)
    profile = bounds.profiles[asked]
    return grant.but(
        _image(extra_specs.PROFILE),
        "profile",
        *(name for name in ("read_only", "no_new_privileges") if getattr(profile, name)),
        name=profile.name,
        why=profile.why,
        capabilities=profile.capabilities,
        no_new_privileges=profile.no_new_privileges,
        read_only=profile.read_only,
        root=profile.root,
        init=profile.init,
        tmpfs=tuple(sorted({*given.tmpfs, *profile.tmpfs})),
    )


def _read_only(grant: Grant, asked: bool | None, whose: str) -> Grant:  # noqa: FBT001 - a wish
    if grant.profile.read_only or asked:
        image = whose == "image"
        if asked is False:
            accepted = f"true under profile {grant.profile.name} of this flavor"
            _refuse(extra_specs.READ_ONLY, "false", accepted, image=image)
        tmpfs = tuple(sorted({*grant.profile.tmpfs, *RESTRICTED.tmpfs}))
        if grant.profile.read_only:
            return grant.but("", tmpfs=tmpfs)
        source = _image(extra_specs.READ_ONLY) if image else _flavor(extra_specs.READ_ONLY)
        return grant.but(source, "read_only", read_only=True, tmpfs=tmpfs)
    return grant


def _refuse_unnamed(
    word: Word[str], asked: str, names: Iterable[str], where: str, *, image: bool = False
) -> None:
    if asked not in names:
        listed = _list(sorted(names))
        _refuse(word, asked, f"a name of {where}: {listed or 'there is none'}", image=image)


def _refuse(word: Word[object], value: str, accepted: str, *, image: bool = False) -> None:
    name = (
        f"image property {word.image_property}" if image else f"flavor extra spec {word.extra_spec}"
    )
    raise PolicyRefused(setting=name, value=shown(value), accepted=accepted)


def _list(names: Iterable[str]) -> str:
    """Join names, no more of them than a fault of Nova's has room for."""
    return shown(", ".join(dict.fromkeys(names)))


def _flavor(word: Word[object]) -> str:
    return f"flavor {word.extra_spec}"


def _image(word: Word[object]) -> str:
    return f"image {word.image_property}"
