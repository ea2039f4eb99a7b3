# SPDX-License-Identifier: Apache-2.0
"""``tempest.conf``: what Tempest reads in it is what we meant."""

import subprocess
import warnings
from pathlib import Path

import pytest
from oslo_config import cfg

from tests.tempest.configuration import Orchestration, Subject, render
from tests.tempest.workspace import PROLOGUE

with warnings.catch_warnings():
    # What Tempest stands on warns of itself when it is imported; it is not our code.
    warnings.simplefilter("ignore")
    from tempest import config

SUBJECT = Subject(
    identity_url="http://127.0.0.1:17700/v3",
    admin_password="secret",
    public_network="net-id",
    public_network_name="public",
    firewall="ovn",
    extensions=("router", "security-group"),
    image="image-id",
    other_image="other-image-id",
    flavor="flavor-id",
    larger_flavor="larger-flavor-id",
    image_file=Path("/samples/ssh.tar"),
    prologue=PROLOGUE.read_text(),
    workspace=Path("/state/tempest"),
    orchestration=Orchestration("demo", "secret", "curl-image-id", "private", "demo"),
)


@pytest.fixture
def read(tmp_path: Path) -> cfg.ConfigOpts:
    """The file as Tempest reads it."""
    path = tmp_path / "tempest.conf"
    path.write_text(render(SUBJECT))
    conf = cfg.ConfigOpts()
    for group, options in config.list_opts():
        conf.register_opts(options, group=group)
    conf(["--config-file", str(path)])
    return conf


def test_every_option_is_one_that_tempest_has(read: cfg.ConfigOpts) -> None:
    """An option that was renamed would be left unread in silence."""
    section, asked = "", set()
    for line in render(SUBJECT).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line[:1].isalpha():
            asked.add((section, line.split()[0]))
    logs = {"DEFAULT", "oslo_concurrency"}
    known = {(str(group), opt.dest) for group, opts in config.list_opts() for opt in opts}
    assert {each for each in asked if each[0] not in logs} <= known


def test_the_prologue_is_read_back_as_it_was_written(read: cfg.ConfigOpts) -> None:
    """Its dollar signs, quotes and lines; the command follows on its last line."""
    script = read.validation.ssh_shell_prologue + " cut -d: -f1 /etc/passwd | head -n 1"
    done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("root\n", "")


def test_a_server_starts_with_its_first_process(read: cfg.ConfigOpts) -> None:
    """Where Tempest asks for a machine's age it is told that of the first process."""
    script = read.validation.ssh_shell_prologue + " cut -f1 -d. /proc/uptime"
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    assert 0 <= int(done.stdout) <= float(Path("/proc/uptime").read_text().split()[0])


def test_what_is_claimed_is_on(read: cfg.ConfigOpts) -> None:
    """Tempest runs what the feature flags name, and Neutron's extensions are the cloud's."""
    features = read["compute-feature-enabled"]
    claimed = ("resize", "snapshot", "shelve", "rescue", "interface_attach", "serial_console")
    assert all(features[name] for name in claimed)
    assert read["network-feature-enabled"].api_extensions == ["router", "security-group"]
    assert read.image.container_formats[0] == "docker"
