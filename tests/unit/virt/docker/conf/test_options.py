# SPDX-License-Identifier: Apache-2.0
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from oslo_config import cfg

from novadocker.errors import ConfigurationError
from novadocker.virt.docker.conf import options as conf
from novadocker.virt.docker.conf.values import VRouterOptions

# All of nova-docker's [docker] section that still has a meaning, or is refused.
OLD = """
[docker]
host_url = tcp://127.0.0.1:2376
api_insecure = True
ca_file = /etc/ca
cert_file = /etc/cert
key_file = /etc/key
inject_key = False
snapshots_directory = /var/lib/nova/snapshots
"""


def parsed(tmp_path: Path, text: str) -> cfg.ConfigOpts:
    """Return a nova.conf, read."""
    path = tmp_path / "nova.conf"
    path.write_text(text)
    options = cfg.ConfigOpts()
    conf.register(options)
    options(["--config-file", str(path)])
    return options


def test_the_defaults_are_usable(tmp_path: Path) -> None:
    """An empty section means the local engine, verified, with user namespaces."""
    options = parsed(tmp_path, "")
    conf.refuse_unusable(options)
    assert options.docker.host_url == "unix:///var/run/docker.sock"
    assert options.docker.require_userns is True
    assert options.docker.api_insecure is False


def test_a_section_written_for_nova_docker_loads(tmp_path: Path) -> None:
    """Its names mean what they meant."""
    options = parsed(tmp_path, OLD)
    conf.refuse_unusable(options)
    assert options.docker.host_url == "tcp://127.0.0.1:2376"
    assert options.docker.api_insecure is True
    assert options.docker.inject_key is False


def test_privileged_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """The message says what to do instead."""
    options = parsed(tmp_path, "[docker]\nprivileged = True\n")
    with pytest.raises(ConfigurationError, match=r"privileged = True .*by flavor"):
        conf.refuse_unusable(options)


def test_a_console_client_that_is_no_network_is_refused(tmp_path: Path) -> None:
    """When nova-compute starts, not when a proxy is turned away."""
    conf.refuse_unusable(parsed(tmp_path, "[docker]\nconsole_clients = 192.0.2.7,2001:db8::/64\n"))
    options = parsed(tmp_path, "[docker]\nconsole_clients = controller1\n")
    with pytest.raises(ConfigurationError, match=r"console_clients = controller1 .*192.0.2.0/24"):
        conf.refuse_unusable(options)


def test_contrails_plugin_is_asked_for_only_where_it_is(tmp_path: Path) -> None:
    """An operator without it learns what to take instead, before any server does."""
    options = parsed(tmp_path, "[docker]\nvrouter_plug = os_vif\n")
    assert conf.vrouter(options).by_os_vif
    with pytest.raises(ConfigurationError, match=r"vrouter_plug = os_vif .*'agent', which needs"):
        conf.refuse_unusable(options)


def test_the_vrouter_is_where_contrail_puts_it(tmp_path: Path) -> None:
    """Unless an operator says otherwise."""
    assert conf.vrouter(parsed(tmp_path, "")) == VRouterOptions()
    text = "[docker]\nvrouter_agent_url = ftp://h\n"
    with pytest.raises(ValueError, match="ftp"):
        conf.vrouter(parsed(tmp_path, text))


def test_tls_options_on_a_socket_are_refused(tmp_path: Path) -> None:
    """An operator who meant TCP learns that it is not."""
    options = parsed(tmp_path, "[docker]\napi_insecure = True\n")
    with pytest.raises(ConfigurationError, match="host_url is a Unix socket"):
        conf.refuse_unusable(options)


def test_registering_twice_is_no_error() -> None:
    """Nova may import the driver more than once."""
    options = cfg.ConfigOpts()
    conf.register(options)
    conf.register(options)


def test_every_option_explains_itself() -> None:
    """The sample configuration is made of their help."""
    (point,) = entry_points(group="oslo.config.opts", name="novadocker")
    ((group, options),) = point.load()()
    assert group.name == "docker"
    assert all(option.help for option in options)
