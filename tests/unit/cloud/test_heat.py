# SPDX-License-Identifier: Apache-2.0
import configparser
import dataclasses

import pytest

from novadocker.cloud.config import heat
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.settings import Settings
from novadocker.cloud.seed import schema
from novadocker.cloud.supervision import orchestration


def _with(common: Common, **choices: object) -> Common:
    settings = Settings(**{"heat": True, **choices})  # type: ignore[arg-type]
    return dataclasses.replace(common, layout=dataclasses.replace(common.layout, settings=settings))


def _conf(common: Common) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(default_section="none")
    text = next(text for path, text in heat.files(common).items() if path.name == "heat.conf")
    parser.read_string(text)
    return parser


def test_without_it_there_is_nothing_of_it(common: Common) -> None:
    """A cloud without orchestration has neither Heat's services nor tables."""
    without = _with(common, heat=False)
    assert not list(orchestration.services(without))
    assert "heat" not in {each.name for each in schema.others(without.layout)}


def test_servers_reach_it_at_the_public_networks_gateway(common: Common) -> None:
    """Both APIs listen there too, and what servers are told to call lies there."""
    conf, port = _conf(common), common.layout.ports
    for name in ("heat-api", "heat-api-cfn"):
        command = {each.name: each.command for each in orchestration.services(common)}[name]
        assert command.argv[-2:] == ("--also", "172.24.4.1")
    told = conf["DEFAULT"]["heat_waitcondition_server_url"]
    assert told == f"http://172.24.4.1:{port.heat_cfn}/v1/waitcondition"
    assert conf["clients_heat"]["url"] == f"http://172.24.4.1:{port.heat}/v1/%(tenant_id)s"


def test_without_a_public_network_it_stays_on_loopback(common: Common) -> None:
    """Where the machine has no address of servers' networks, none is listened on."""
    alone = _with(common, network="contrail")
    assert heat.for_servers(alone.layout) == ()
    assert "//127.0.0.1:" in _conf(alone)["DEFAULT"]["heat_metadata_server_url"]
    assert all(each.command.argv[-1] != "172.24.4.1" for each in orchestration.services(alone))


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("DEFAULT", "stack_domain_admin_password", "stacks"),
        ("DEFAULT", "auth_encryption_key", "k" * 32),
        ("DEFAULT", "default_user_data_format", "RAW"),
        ("trustee", "username", "service"),
        ("ec2authtoken", "endpoint_override", "http://127.0.0.1:17700"),
    ],
)
def test_its_configuration_says(common: Common, section: str, option: str, value: str) -> None:
    """Heat's secrets are the cloud's own, and Keystone is named by address."""
    assert _conf(common)[section][option] == value


def test_a_trust_is_not_narrowed_to_a_project(common: Common) -> None:
    """Whoever acts in a trust must not name a project: Keystone refuses both at once."""
    assert not [name for name in _conf(common)["trustee"] if name.startswith("project")]
