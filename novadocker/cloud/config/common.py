# SPDX-License-Identifier: Apache-2.0
"""Sections common to several OpenStack services."""

from dataclasses import dataclass

from novadocker.cloud.config.ini import Section
from novadocker.cloud.layout.credentials import Credentials
from novadocker.cloud.layout.layout import LOOPBACK, REGION, Layout

# Notifications would need a listener; nobody listens here.
SILENT: Section = {"driver": "noop"}


@dataclass(frozen=True)
class Common:
    """Layout and credentials, from which configuration is made."""

    layout: Layout
    credentials: Credentials

    def database(self, name: str) -> Section:
        """Return the section of a database."""
        password, port = self.credentials.database, self.layout.ports.mariadb
        url = f"mysql+pymysql://cloud:{password}@{LOOPBACK}:{port}/{name}?charset=utf8mb4"
        return {"connection": url, "max_pool_size": 10, "max_overflow": 20}

    @property
    def transport_url(self) -> str:
        """Where the message broker is."""
        return (
            f"rabbit://cloud:{self.credentials.messages}@{LOOPBACK}:{self.layout.ports.rabbitmq}/"
        )

    @property
    def service_user(self) -> Section:
        """User for calls between services."""
        return {
            "auth_type": "password",
            "auth_url": self.layout.identity_url,
            "project_domain_name": "Default",
            "user_domain_name": "Default",
            "project_name": "service",
            "username": "service",
            "password": self.credentials.service,
            "region_name": REGION,
        }

    @property
    def authtoken(self) -> Section:
        """Section for the check of callers' tokens."""
        return {
            **{key: value for key, value in self.service_user.items() if key != "region_name"},
            "www_authenticate_uri": self.layout.identity_url,
            "service_token_roles": "service",
            "service_token_roles_required": True,
        }

    @property
    def logging(self) -> Section:
        """Log to the standard error, kept by the supervisor in a file for each service."""
        return {"use_stderr": True}

    def locks(self, service: str) -> Section:
        """Return the section of a service's lock files."""
        return {"lock_path": self.layout.data / service / "locks"}

    def privsep(self, *contexts: str) -> dict[str, Section]:
        """Return sections to start privileged helpers without sudo: services are root."""
        helper = {"helper_command": self.layout.program("privsep-helper")}
        return dict.fromkeys(contexts, helper)
