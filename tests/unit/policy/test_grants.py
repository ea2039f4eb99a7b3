# SPDX-License-Identifier: Apache-2.0
"""What a flavor grants and an image does without, case by case."""

from dataclasses import fields, replace

import pytest

from novadocker.errors import PolicyRefused
from novadocker.policy import (
    CAPABILITIES,
    Abilities,
    Bounds,
    Flavor,
    Profile,
    settings_for,
)
from novadocker.policy.extra_specs import MOST_CHARACTERS
from novadocker.policy.profiles import BUILT_IN
from novadocker.policy.settings import Settings, Ulimit

ABLE = Abilities(disk_limit=False, pids=64, userns=True, runtimes=frozenset({"runc", "runsc"}))
# What a message shares its 255 characters with, in Nova's fault of a build.
PROLOGUE = len("Build of instance 01234567-0123-0123-0123-0123456789ab aborted: ")


def made(
    able: Abilities = ABLE,
    bounds: Bounds | None = None,
    image: dict[str, str] | None = None,
    **specs: str,
) -> Settings:
    """Return the settings of a flavor with extra specs, and of an image with properties."""
    named = {f"docker:{name.replace('__', '.')}": value for name, value in specs.items()}
    flavor = Flavor(vcpus=1, memory_mib=64, root_gib=1, extra_specs=named)
    said = {f"docker_{name}": value for name, value in (image or {}).items()}
    return settings_for(flavor, able, bounds or Bounds(), said)


def why(settings: Settings, setting: str, value: str) -> str:
    """Return who said so."""
    return next(
        line.source
        for line in settings.explanations
        if (line.setting, line.value) == (setting, value)
    )


def test_a_flavor_adds_and_takes_capabilities() -> None:
    """Each with who said so."""
    settings = made(cap_add="net_admin,CAP_SYS_PTRACE", cap_drop="KILL,CHOWN")
    expected = {*CAPABILITIES, "NET_ADMIN", "SYS_PTRACE"} - {"KILL", "CHOWN"}
    assert settings.rights.capabilities == tuple(sorted(expected))
    assert why(settings, "capability", "NET_ADMIN") == "flavor docker:cap_add"
    assert why(settings, "capability", "SETUID") == "profile baseline"


def test_a_restricted_container_has_nothing() -> None:
    """No capability, nothing to write but memory from which nothing runs, no root."""
    settings = made(profile="restricted")
    assert settings.rights.capabilities == ()
    assert settings.rights.no_new_privileges
    assert settings.rights.read_only
    assert not settings.root
    assert set(settings.rights.tmpfs) == {"/run", "/tmp", "/var/tmp"}
    assert all("noexec" in options.split(",") for options in settings.rights.tmpfs.values())
    assert why(settings, "capabilities", "none") == "flavor docker:profile"


def test_a_system_container_divides_its_group_and_lets_sudo_work() -> None:
    """Where its users are its own."""
    settings = made(profile="system")
    assert (settings.rights.init, settings.rights.no_new_privileges, settings.root) == (
        True,
        False,
        True,
    )
    assert "exec" in settings.rights.tmpfs["/run"].split(",")
    with pytest.raises(PolicyRefused, match="a host with user namespaces"):
        made(replace(ABLE, userns=False), profile="system")


def test_an_operator_chooses_what_is_ordinary() -> None:
    """For flavors that name no profile."""
    settings = made(bounds=Bounds(default_profile="restricted"))
    assert settings.profile == "restricted"
    assert why(settings, "profile", "restricted") == "nova.conf [docker] default_profile"


def test_sizes_and_ulimits_are_read() -> None:
    """In bytes."""
    settings = made(shm_size="32m", ulimits="nofile=64:128,core=0")
    assert settings.rights.shm_bytes == 32 * 2**20
    assert settings.rights.ulimits == (Ulimit("core", 0, 0), Ulimit("nofile", 64, 128))


def test_sysctls_of_flavors_come_to_those_that_all_have() -> None:
    """Spaces are as the kernel has them."""
    settings = made(
        sysctl__net__ipv4__ip_forward="1", sysctl__net__ipv4__ip_local_port_range="1024\t65000"
    )
    assert settings.rights.sysctls["net.ipv4.ip_forward"] == "1"
    assert settings.rights.sysctls["net.ipv4.ip_local_port_range"] == "1024 65000"
    assert settings.rights.sysctls["net.ipv4.ping_group_range"] == "0 65535"


@pytest.mark.parametrize(
    ("specs", "bounds", "said"),
    [
        (
            {"cap_add": "IPC_LOCK"},
            Bounds(),
            "docker:cap_add = IPC_LOCK is refused; accepted is NET",
        ),
        ({"cap_add": "KILL"}, Bounds(capabilities=frozenset()), r"allowed_capabilities"),
        ({"profile": "mine"}, Bounds(), "docker:profile = mine .* restricted, baseline, system"),
        ({"sysctl__net__ipv4__ip_forward": "1"}, Bounds(sysctls=()), "allowed_sysctls"),
        ({"seccomp": "quiet"}, Bounds(), "seccomp_profiles: there is none"),
        ({"seccomp": "loud"}, Bounds(seccomp={"quiet": "{}"}), "seccomp_profiles: quiet"),
        ({"apparmor": "x"}, Bounds(), "this host has no AppArmor"),
        ({"runtime": "runsc"}, Bounds(), "this host's engine has: runc$"),
        ({"runtime": "kata"}, Bounds(runtimes=frozenset({"kata", "runsc"})), "has: runc, runsc$"),
        ({"shm_size": "65m"}, Bounds(), "up to the flavor's memory, 64m"),
        ({"profile": "restricted", "read_only": "false"}, Bounds(), "true under profile restrict"),
    ],
)
def test_what_is_beyond_a_bound_is_refused_with_it(
    specs: dict[str, str], bounds: Bounds, said: str
) -> None:
    """In a line that Nova's fault has room for."""
    with pytest.raises(PolicyRefused, match=said) as raised:
        made(bounds=bounds, **specs)
    assert len(str(raised.value)) < 255 - PROLOGUE


def test_an_apparmor_profile_is_one_of_the_operators() -> None:
    """Where the host has AppArmor."""
    able, bounds = replace(ABLE, apparmor=True), Bounds(apparmor=frozenset({"tenant"}))
    assert made(able, bounds, apparmor="tenant").rights.apparmor == "tenant"
    with pytest.raises(PolicyRefused, match=r"apparmor_profiles \(tenant\)"):
        made(able, bounds, apparmor="other")


@pytest.mark.parametrize(
    ("image", "specs", "said"),
    [
        ({"profile": "system"}, {}, "within the flavor's baseline: baseline, restricted"),
        ({"profile": "baseline"}, {"profile": "restricted"}, "within the flavor's restricted"),
        ({"profile": "baseline"}, {"cap_drop": "KILL"}, "within the flavor's baseline: restrict"),
        ({"cap_add": "NET_ADMIN"}, {}, "what the flavor grants: those of its profile"),
        ({"cap_add": "SETFCAP"}, {"cap_add": "NET_ADMIN"}, "what the flavor grants: NET_ADMIN"),
        ({"read_only": "false"}, {"read_only": "true"}, "true under profile baseline"),
        ({"pids_limit": "65"}, {}, "up to 64, which is the flavor's"),
        ({"pids_limit": "9"}, {"pids_limit": "8"}, "up to 8, which is the flavor's"),
        ({"seccomp": "quiet"}, {}, "a name of the flavor: there is none"),
        ({"privileged": "true"}, {}, "less than its flavor, never more"),
        ({"runtime": "runsc"}, {}, "less than its flavor, never more"),
        ({"sysctl.net.ipv4.ip_forward": "1"}, {}, "less than its flavor, never more"),
        ({"cap_drop": "NOTHING"}, {}, "names of capabilities"),
    ],
)
def test_an_image_that_wants_more_is_refused(
    image: dict[str, str], specs: dict[str, str], said: str
) -> None:
    """Its property, the value, and what the flavor grants are named."""
    with pytest.raises(PolicyRefused, match=said) as raised:
        made(image=image, **specs)
    assert str(raised.value).startswith(f"image property docker_{next(iter(image))} = ")
    assert len(str(raised.value)) < 255 - PROLOGUE


def test_an_image_says_what_it_needs() -> None:
    """What its flavor grants beyond its profile it may name, and have after its own profile."""
    specs = {"profile": "system", "cap_add": "NET_ADMIN,SYS_PTRACE"}
    settings = made(image={"profile": "baseline", "cap_add": "NET_ADMIN"}, **specs)
    assert set(settings.rights.capabilities) == {*CAPABILITIES, "NET_ADMIN"}
    assert settings.rights.no_new_privileges
    assert not settings.rights.init
    assert why(settings, "profile", "baseline") == "image docker_profile"


def test_what_else_an_image_carries_is_passed_over() -> None:
    """It belongs to others, or to other parts of the driver."""
    assert made(image={"user_data": "run", "created_by": "x"}) == made()


# For each field of a profile: a value for a narrow profile, within that of a wide one.
CHOSEN: dict[str, tuple[object, object]] = {
    "name": ("narrow", "wide"),
    "why": ("narrow", "wide"),
    "capabilities": (frozenset({"KILL"}), frozenset({"KILL", "CHOWN"})),
    "no_new_privileges": (True, False),
    "read_only": (True, False),
    "root": (False, True),
    "tmpfs": (("/run", "/tmp", "/var/tmp"), ("/srv",)),
    "seccomp": ("tight", ""),
    "sysctls": ({}, {"net.ipv4.ip_forward": "1"}),
    "init": (False, True),
    "reaper": (False, True),
}


@pytest.mark.parametrize("field", [each.name for each in fields(Profile)])
def test_an_image_that_chooses_a_profile_gets_all_of_its_fields(field: str) -> None:
    """A profile chosen by an image gives what a flavor with that profile would give."""
    narrow, wide = CHOSEN[field]
    base = {name: pair[1] for name, pair in CHOSEN.items()} | {"name": "wide"}
    profiles = {
        "wide": Profile(**base),  # type: ignore[arg-type]
        "narrow": Profile(**{**base, "name": "narrow", field: narrow}),  # type: ignore[arg-type]
    }
    assert wide != narrow
    bounds = Bounds(profiles={**BUILT_IN, **profiles}, seccomp={"tight": '{"tight": 1}'})
    chosen = made(bounds=bounds, image={"profile": "narrow"}, profile="wide")
    assert chosen == made(bounds=bounds, profile="narrow")
    assert why(chosen, "profile", "narrow") == "image docker_profile"


def test_a_filter_that_an_image_chose_with_its_profile_names_its_source() -> None:
    """The line of the seccomp filter names the image's property, not the flavor's profile."""
    strict = replace(BUILT_IN["baseline"], name="strict", seccomp="tight")
    bounds = Bounds(profiles={**BUILT_IN, "strict": strict}, seccomp={"tight": "{}"})
    chosen = made(bounds=bounds, image={"profile": "strict"})
    assert chosen.rights.seccomp == "{}"
    assert why(chosen, "seccomp", "tight") == "image docker_profile"


def test_a_flavors_own_parameters_stay_under_an_images_profile() -> None:
    """A kernel parameter of the flavor may be a restriction, which no image lifts."""
    specs = {"profile": "system", "sysctl__net__ipv4__ip_unprivileged_port_start": "1024"}
    chosen = made(image={"profile": "baseline"}, **specs)
    assert chosen.rights.sysctls["net.ipv4.ip_unprivileged_port_start"] == "1024"


def test_a_property_that_nova_may_have_cut_is_refused() -> None:
    """Nova keeps 255 characters of an image property, and the rest may name more drops."""
    names = ",".join(["KILL"] * 51)
    assert len(names) == MOST_CHARACTERS - 1
    assert "KILL" not in made(image={"cap_drop": names}).rights.capabilities
    with pytest.raises(PolicyRefused, match="at most 254 characters"):
        made(image={"cap_drop": f"{names},"})


def test_an_init_is_a_flavors_an_images_or_a_profiles_to_ask_for() -> None:
    """An init is no right: an image may have one or do without, whatever the flavor says."""
    assert not made().rights.reaper
    assert made(init="true").rights.reaper
    assert made(image={"init": "true"}).rights.reaper
    assert not made(init="true", image={"init": "false"}).rights.reaper
    asked = made(image={"init": "true"})
    assert why(asked, "process 1", "an init before the image's command") == "image docker_init"
    reaping = replace(BUILT_IN["baseline"], name="reaping", reaper=True)
    bounds = Bounds(profiles={**BUILT_IN, "reaping": reaping})
    assert made(bounds=bounds, profile="reaping").rights.reaper


@pytest.mark.parametrize("image", [{"init": "true"}, {}])
def test_an_init_system_has_no_other_init_before_it(image: dict[str, str]) -> None:
    """Systemd is nothing but process 1: under its profile an init is refused by name."""
    specs = {} if image else {"init": "true"}
    with pytest.raises(PolicyRefused, match="process 1 is the image's own init"):
        made(profile="system", image=image, **specs)
