# SPDX-License-Identifier: Apache-2.0
"""Files with the names known to a container."""

import pytest

from novadocker.virt.docker.wiring import name_files
from novadocker.virt.docker.wiring.plan import Nic, Plan


def nic(*addresses: str) -> Nic:
    """Make a NIC with addresses."""
    return Nic(
        port_id="p", vif_type="tap", name="eth0", host_device="tap", mac="m", addresses=addresses
    )


def test_hosts_names_the_server_at_its_first_address_of_each_family() -> None:
    """Only the first address of each family has a name."""
    plan = Plan(
        hostname="web",
        domain="example.org",
        nics=(nic(), nic("10.0.0.5/24", "10.0.0.6/24"), nic("fd00::5/64", "10.1.0.5/24")),
    )
    assert name_files.hosts(plan).splitlines()[-2:] == [
        "10.0.0.5\tweb.example.org web",
        "fd00::5\tweb.example.org web",
    ]


def test_hosts_has_loopback_in_both_families() -> None:
    """``localhost`` resolves without a resolver."""
    lines = name_files.hosts(Plan(hostname="web")).splitlines()
    assert "127.0.0.1\tlocalhost" in lines
    assert any(line.startswith("::1\tlocalhost") for line in lines)


@pytest.mark.parametrize(
    ("hostname", "domain", "expected"),
    [
        ("web", "", "web"),
        ("web", "example.org", "web.example.org web"),
        ("web.example.net", "example.org", "web.example.net web"),
    ],
)
def test_a_server_without_address_still_finds_itself(
    hostname: str, domain: str, expected: str
) -> None:
    """The server's name leads to the server, qualified already or by the cloud's domain."""
    assert name_files.hosts(Plan(hostname=hostname, domain=domain)).splitlines()[-1] == (
        f"127.0.1.1\t{expected}"
    )


@pytest.mark.parametrize(
    ("domain", "dns", "expected"),
    [
        ("", (), ""),
        ("example.org", (), "search example.org\n"),
        ("", ("10.0.0.2", "fd00::2"), "nameserver 10.0.0.2\nnameserver fd00::2\n"),
        ("example.org", ("10.0.0.2",), "search example.org\nnameserver 10.0.0.2\n"),
    ],
)
def test_resolv_conf_has_search_and_resolvers(
    domain: str, dns: tuple[str, ...], expected: str
) -> None:
    """A line without content is left out."""
    assert name_files.resolv_conf(Plan(hostname="web", domain=domain, dns=dns)) == expected


def test_hostname_is_the_servers_name() -> None:
    """One line, as Debian's ``/etc/hostname``."""
    assert name_files.hostname(Plan(hostname="web")) == "web\n"


def test_a_name_cut_for_the_kernel_resolves() -> None:
    """The file has the whole name and the cut one, since programs ask for either."""
    (line,) = name_files.hosts(Plan(hostname="é" * 35)).splitlines()[-1:]
    assert line.split("\t")[1].split() == ["é" * 35, "é" * 32]
