# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from novadocker.errors import NotForContainers, PolicyRefused
from novadocker.policy import (
    CAPABILITIES,
    GIB,
    MIB,
    Abilities,
    Flavor,
    Limits,
    Settings,
    Wishes,
    refuse,
    settings_for,
)

SMALL = Flavor(vcpus=1, memory_mib=512, root_gib=10)
WITHOUT_QUOTA = Abilities(disk_limit=False, pids=1024)
WITH_QUOTA = Abilities(disk_limit=True, pids=1024)
# Each of these lets a process leave its container, or reach what other containers share.
ESCAPES = {
    "ALL",
    "AUDIT_CONTROL",
    "BPF",
    "DAC_READ_SEARCH",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MKNOD",
    "NET_ADMIN",
    "PERFMON",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_TIME",
}


@pytest.mark.parametrize(
    ("flavor", "abilities", "expected"),
    [
        (SMALL, WITHOUT_QUOTA, {"memory_bytes": 512 * MIB, "nano_cpus": 10**9, "disk_bytes": 0}),
        (SMALL, WITH_QUOTA, {"disk_bytes": 10 * GIB}),
        (SMALL, WITHOUT_QUOTA, {"swap_bytes": 0, "cpu_shares": 1024, "pids": 1024}),
        (dataclasses.replace(SMALL, root_gib=0), WITH_QUOTA, {"disk_bytes": 0}),
        (dataclasses.replace(SMALL, vcpus=4), WITH_QUOTA, {"nano_cpus": 4 * 10**9}),
        (dataclasses.replace(SMALL, vcpus=4), WITH_QUOTA, {"cpu_shares": 4096}),
        (dataclasses.replace(SMALL, swap_mib=256), WITH_QUOTA, {"swap_bytes": 256 * MIB}),
        (
            dataclasses.replace(SMALL, extra_specs={"docker:pids_limit": "64"}),
            WITH_QUOTA,
            {"pids": 64},
        ),
    ],
)
def test_a_flavor_becomes_limits(
    flavor: Flavor, abilities: Abilities, expected: dict[str, int]
) -> None:
    """Each resource of a flavor is a limit in the engine's unit, the disk's where it can be."""
    settings = dataclasses.asdict(settings_for(flavor, abilities).limits)
    assert {name: settings[name] for name in expected} == expected


@pytest.mark.parametrize("asked", ["0", "-1", "many", "", "1.5", "unlimited"])
def test_a_pids_limit_that_is_none_is_refused(asked: str) -> None:
    """The flavor cannot lift the limit, and what it says wrongly is named with its value."""
    flavor = dataclasses.replace(SMALL, extra_specs={"docker:pids_limit": asked})
    with pytest.raises(PolicyRefused, match=r"docker:pids_limit = .* is refused"):
        settings_for(flavor, WITHOUT_QUOTA)


def test_no_capability_leads_out_of_the_container() -> None:
    """The allowed list has none that reaches the host, devices, or links and filters."""
    assert not ESCAPES & set(CAPABILITIES)


@pytest.mark.parametrize(
    "name",
    ["privileged", "capabilities", "devices", "sysctl", "no_new_privileges", "Profile", ""],
)
def test_what_no_flavor_can_ask_is_refused(name: str) -> None:
    """It would else be passed over; the words that there are are named."""
    asked = dataclasses.replace(SMALL, extra_specs={f"docker:{name}": "true"})
    with pytest.raises(PolicyRefused, match=f"docker:{name} = true is refused; accepted is"):
        settings_for(asked, WITHOUT_QUOTA)


def test_setuid_programs_gain_nothing() -> None:
    """A flavor that says nothing has the eleven ordinary capabilities, and no way to others."""
    settings = settings_for(SMALL, WITHOUT_QUOTA)
    assert settings.rights.no_new_privileges
    assert settings.rights.capabilities == CAPABILITIES


def test_ordinary_users_may_ping_and_bind_low_ports() -> None:
    """Both come from sysctls of the container's own network namespace."""
    sysctls = settings_for(SMALL, WITHOUT_QUOTA).rights.sysctls
    assert sysctls["net.ipv4.ip_unprivileged_port_start"] == "0"
    assert sysctls["net.ipv4.ping_group_range"] == "0 65535"


def test_containers_do_not_share_their_sysctls() -> None:
    """Changing what one container got changes no other's."""
    first, second = (Settings(Limits(1, 0, 1, 1, 1, 0)) for _ in range(2))
    assert first.rights.sysctls is not second.rights.sysctls


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (Wishes(root_volumes=1), "root volumes = 1 is refused"),
        (Wishes(ephemeral_change=-2), "a flavor whose ephemeral disk has the size"),
        (Wishes(ephemeral_format="ext3"), "ephemeral format = ext3 is refused"),
        (Wishes(certificates=1), "a server without trusted certificates"),
    ],
)
def test_what_a_container_cannot_have_is_refused(wishes: Wishes, said: str) -> None:
    """It would else be left out in silence."""
    with pytest.raises(PolicyRefused, match=said):
        refuse(wishes)


def test_an_ordinary_server_wishes_for_nothing_of_it() -> None:
    """Image, flavor and ports are enough."""
    refuse(Wishes())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw_firmware_type", "uefi"),
        ("os_secure_boot", "required"),
        ("os:secure_boot", "required"),
        ("hw_tpm_version", "2.0"),
        ("hw:tpm_model", "tpm-crb"),
        ("hw_mem_page_size", "large"),
        ("hw:mem_page_size", "2048"),
        ("hw:cpu_policy", "dedicated"),
        ("hw_cpu_policy", "mixed"),
        ("hw:cpu_thread_policy", "isolate"),
        ("hw:numa_nodes", "2"),
        ("hw:mem_encryption", "True"),
        ("hw_ephemeral_encryption", "yes"),
        ("hw_watchdog_action", "reset"),
        ("pci_passthrough:alias", "gpu:1"),
        ("accel:device_profile", "fpga"),
        ("hw:pmem", "6GB"),
        ("kernel_id", "91a9ce00"),
        ("ramdisk_id", "91a9ce00"),
    ],
)
def test_what_only_a_machine_has_is_not_for_containers(name: str, value: str) -> None:
    """The refusal names setting and value, says why, and what would be accepted."""
    with pytest.raises(NotForContainers) as raised:
        refuse(Wishes(settings={name: value}))
    said = str(raised.value)
    assert said.startswith(f"not for containers: {name} = {value}, for ")
    assert said.endswith("to leave it out")
    assert len(said) < 255 - len("Build of instance 01234567-0123-0123-0123-0123456789ab aborted: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw:cpu_policy", "dedicated"),
        ("hw_cpu_policy", "dedicated"),
        ("hw:cpu_thread_policy", "isolate"),
    ],
)
def test_processors_that_nova_dedicated_fulfil_a_policy(name: str, value: str) -> None:
    """A server that Nova has pinned is accepted with the wish that the pinning fulfils."""
    refuse(Wishes(settings={name: value}, dedicated=True))


@pytest.mark.parametrize(
    ("name", "value"), [("hw:cpu_policy", "mixed"), ("hw_cpu_realtime", "yes")]
)
def test_a_pinned_container_is_refused_what_one_set_cannot_be(name: str, value: str) -> None:
    """One set of processors holds for every thread of a container."""
    with pytest.raises(NotForContainers):
        refuse(Wishes(settings={name: value}, dedicated=True))


@pytest.mark.parametrize(
    ("own", "shared", "expected"),
    [((), None, ""), ((), {3, 0}, "0,3"), ((2, 10), {0, 3}, "2,10"), ((1,), None, "1")],
)
def test_a_container_runs_on_its_own_or_on_the_shared_processors(
    own: tuple[int, ...], shared: set[int] | None, expected: str
) -> None:
    """Dedicated processors go before shared ones; an undivided host names none."""
    flavor = dataclasses.replace(SMALL, processors=frozenset(own))
    processors = None if shared is None else frozenset(shared)
    host = dataclasses.replace(WITHOUT_QUOTA, shared_processors=processors)
    settings = settings_for(flavor, host)
    assert settings.limits.cpuset == expected
    told = {each.setting: each.value for each in settings.explanations}
    assert told.get("numbers of processors", "") == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw_firmware_type", "bios"),
        ("os_secure_boot", "disabled"),
        ("hw_mem_page_size", "small"),
        ("hw:cpu_policy", "shared"),
        ("hw:mem_encryption", "False"),
        ("hw_watchdog_action", "disabled"),
        ("hw_disk_bus", "virtio"),
        ("hw_vif_model", "e1000"),
        ("hw_qemu_guest_agent", "True"),
        ("hw:cpu_sockets", "2"),
        ("docker:pids_limit", "9"),
    ],
)
def test_what_takes_nothing_from_a_container_is_let_be(name: str, value: str) -> None:
    """Images carry it for other hypervisors."""
    refuse(Wishes(settings={name: value}))


def test_devices_are_refused() -> None:
    """SR-IOV ports and accelerators are none of its image's or flavor's settings."""
    with pytest.raises(PolicyRefused, match="devices = 1 is refused"):
        refuse(Wishes(devices=1))
