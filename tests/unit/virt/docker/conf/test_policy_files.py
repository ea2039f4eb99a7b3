# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from oslo_config import cfg

from novadocker.errors import ConfigurationError
from novadocker.policy import Bounds
from novadocker.virt.docker.conf import options as conf
from novadocker.virt.docker.conf.policy_files import bounds_of


def parsed(tmp_path: Path, text: str) -> cfg.ConfigOpts:
    """Return a nova.conf, read."""
    path = tmp_path / "nova.conf"
    path.write_text(f"[docker]\n{text}\n")
    options = cfg.ConfigOpts()
    conf.register(options)
    options(["--config-file", str(path)])
    return options


def test_an_empty_section_has_the_defaults(tmp_path: Path) -> None:
    """Those that the policy has without a nova.conf."""
    assert bounds_of(parsed(tmp_path, "").docker) == Bounds()


def test_all_of_it_is_read(tmp_path: Path) -> None:
    """Lists, and the files that are named."""
    filters = tmp_path / "seccomp"
    filters.mkdir()
    (filters / "quiet.json").write_text('{"defaultAction": "SCMP_ACT_ERRNO"}')
    (filters / "README").write_text("not a profile")
    profiles = tmp_path / "profiles.toml"
    profiles.write_text('[mine]\nbased_on = "baseline"\nseccomp = "quiet"\n')
    text = f"""
allowed_capabilities = CAP_NET_ADMIN, kill
allowed_sysctls = net.ipv4.ip_forward, kernel.msgmax
seccomp_profiles = {filters}
profiles_file = {profiles}
default_profile = mine
apparmor_profiles = tenant
runtimes = runsc, kata
"""
    bounds = bounds_of(parsed(tmp_path, text).docker)
    assert bounds.capabilities == {"NET_ADMIN", "KILL"}
    assert bounds.sysctls == ("net.ipv4.ip_forward", "kernel.msgmax")
    assert set(bounds.seccomp) == {"quiet"}
    assert bounds.profiles["mine"].seccomp == "quiet"
    assert (bounds.apparmor, bounds.runtimes) == ({"tenant"}, {"runsc", "kata"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allowed_capabilities = NET_ADMIN,SYS_ADMIN", "allowed_capabilities = .*nobody gets"),
        ("allowed_capabilities = ALL", "names of capabilities"),
        ("allowed_sysctls = kernel.core_pattern", "no parameter of network or IPC namespaces"),
        ("allowed_sysctls = *", "no parameter of network or IPC namespaces"),
        ("allowed_sysctls = net.*", "no parameter of network or IPC namespaces"),
        ("default_profile = privileged", "none of baseline, restricted, system"),
        ("profiles_file = /not/there", "profiles_file = /not/there cannot be used: .*No such"),
        ("seccomp_profiles = /not/there", "seccomp_profiles = /not/there cannot be used"),
        ("apparmor_profiles = unconfined", "no container is unconfined"),
        ("runtimes = ../runc", "a name of letters"),
    ],
)
def test_nova_compute_does_not_start_with_what_nobody_gets(
    tmp_path: Path, text: str, said: str
) -> None:
    """The option and its value are named, with what is wrong."""
    with pytest.raises(ConfigurationError, match=said):
        conf.refuse_unusable(parsed(tmp_path, text))


def test_a_seccomp_profile_that_opens_more_is_told_by_its_file(tmp_path: Path) -> None:
    """When nova-compute starts."""
    (tmp_path / "loud.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    with pytest.raises(ConfigurationError, match=r"loud\.json: its defaultAction must be"):
        bounds_of(parsed(tmp_path, f"seccomp_profiles = {tmp_path}").docker)


@pytest.mark.parametrize("size", ["-1", "0", "unlimited", "8x"])
def test_a_console_log_without_end_is_refused(tmp_path: Path, size: str) -> None:
    """The engine takes -1 for no limit."""
    with pytest.raises((ValueError, cfg.ConfigFileValueError)):
        _ = parsed(tmp_path, f"log_max_size = {size}").docker.log_max_size
