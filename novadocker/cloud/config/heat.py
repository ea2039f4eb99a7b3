# SPDX-License-Identifier: Apache-2.0
"""Heat's configuration: a file for the engine and both APIs."""

from pathlib import Path

from novadocker.cloud.config import ini
from novadocker.cloud.config.common import SILENT, Common
from novadocker.cloud.layout.layout import LOOPBACK, REGION, Layout
from novadocker.cloud.layout.settings import CONTRAIL

DOMAIN = "heat"
DOMAIN_ADMIN = "heat_domain_admin"
STACK_USER = "heat_stack_user"


def files(common: Common) -> dict[Path, str]:
    """Return Heat's files."""
    conf = common.layout.conf("heat")
    paste = (common.layout.venv / "etc/heat/api-paste.ini").read_text()
    return {conf / "heat.conf": ini.render(_sections(common)), conf / "api-paste.ini": paste}


def for_servers(layout: Layout) -> tuple[str, ...]:
    """Return the addresses, beside loopback, at which servers reach the APIs.

    The machine's own one on the public network: a server's packets come through its router.
    """
    return () if layout.settings.network == CONTRAIL else (str(layout.public_gateway.ip),)


def _sections(common: Common) -> ini.Sections:
    layout, user = common.layout, common.service_user
    return {
        "DEFAULT": {
            **common.logging,
            "transport_url": common.transport_url,
            "rpc_response_timeout": 60,
            "num_engine_workers": 1,
            "region_name_for_services": REGION,
            "environment_dir": layout.venv / "etc/heat/environment.d",
            "template_dir": layout.venv / "etc/heat/templates",
            "stack_user_domain_name": DOMAIN,
            "stack_domain_admin": DOMAIN_ADMIN,
            "stack_domain_admin_password": common.credentials.stacks,
            "heat_stack_user_role": STACK_USER,
            "auth_encryption_key": common.credentials.stack_secrets,
            # Images of containers have no cloud-init that would take Heat's bundle apart.
            "default_user_data_format": "RAW",
            "enable_stack_abandon": True,
            "enable_stack_adopt": True,
            **_urls_for_servers(layout),
            # A server that is refused is refused again; five more tries hide the reason for long.
            "action_retry_limit": 0,
            "graceful_shutdown_timeout": 3,
        },
        "clients_heat": {"url": f"{_reachable(layout, layout.ports.heat)}/v1/%(tenant_id)s"},
        "clients_keystone": {"auth_uri": layout.url(layout.ports.keystone)},
        "database": common.database("heat"),
        # One process, so its memory will do.
        "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
        "paste_deploy": {"api_paste_config": layout.conf("heat") / "api-paste.ini"},
        "oslo_concurrency": common.locks("heat"),
        "oslo_messaging_notifications": SILENT,
        "keystone_authtoken": common.authtoken,
        # Whoever acts for a stack's owner later, in the owner's trust.
        "trustee": _only_user(user),
        # Keystone checks signatures for its services only.
        "ec2authtoken": {**user, "endpoint_override": layout.url(layout.ports.keystone)},
    }


def _urls_for_servers(layout: Layout) -> ini.Section:
    reachable = _reachable(layout, layout.ports.heat_cfn)
    return {
        "heat_metadata_server_url": reachable,
        "heat_waitcondition_server_url": f"{reachable}/v1/waitcondition",
    }


def _reachable(layout: Layout, port: int) -> str:
    address, *_ = (*for_servers(layout), LOOPBACK)
    return f"http://{address}:{port}"


def _only_user(section: ini.Section) -> ini.Section:
    return {
        key: value
        for key, value in section.items()
        if not key.startswith("project_") and key != "region_name"
    }
