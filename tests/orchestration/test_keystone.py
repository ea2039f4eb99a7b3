# SPDX-License-Identifier: Apache-2.0
"""Keystone's rules hold for containers: roles, projects, delegation, quotas, tokens that expire."""

import contextlib
import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil
import pytest
from openstack.connection import Connection
from openstack.exceptions import ForbiddenException, NotFoundException, SDKException

from tests.support.cloud_site import Site, Tenant, until

# Seconds that a token lives which is to expire in the middle of something.
LIFETIME = 12


@dataclass(frozen=True)
class People:
    """Users of the cloud, made for these tests.

    Attributes:
        reader: a connection of who may look at the tenant's project.
        stranger: a connection of a member of another one.
        strange_project: that other project's id.
        strange_user: that member's id.
    """

    reader: Any
    stranger: Any
    strange_project: str
    strange_user: str


def _flavor(site: Site) -> str:
    return str(site.demo.compute.find_flavor("c1.nano").id)


def _connect(site: Site, **auth: str) -> Any:
    return Connection(
        auth={"auth_url": site.layout.identity_url, **auth},
        region_name="RegionOne",
        identity_api_version="3",
        auth_type="v3applicationcredential" if "application_credential_id" in auth else "password",
    )


@pytest.fixture(scope="module")
def people(site: Site) -> Iterator[People]:
    """A reader of the tenant's project, and a member of another."""
    identity = site.admin.identity
    name, password = f"test-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    with contextlib.ExitStack() as undo:
        project = identity.create_project(name=name)
        undo.callback(identity.delete_project, project)

        def user(kind: str, project_id: str, role: str) -> tuple[str, Any]:
            made = identity.create_user(name=f"{name}-{kind}", password=password)
            undo.callback(identity.delete_user, made)
            identity.assign_project_role_to_user(project_id, made, identity.find_role(role))
            auth = {"user_id": made.id, "password": password, "project_id": project_id}
            return made.id, _connect(site, **auth)

        _, reader = user("reader", site.demo.current_project_id, "reader")
        stranger_id, stranger = user("stranger", project.id, "member")
        yield People(reader, stranger, project.id, stranger_id)


@pytest.mark.parametrize(
    "act",
    [
        lambda cloud, server: cloud.compute.reboot_server(server, "SOFT"),
        lambda cloud, server: cloud.compute.stop_server(server),
        lambda cloud, server: cloud.compute.pause_server(server),
        lambda cloud, server: cloud.compute.create_server_image(server, "taken"),
        lambda cloud, server: cloud.compute.set_server_metadata(server, mine="now"),
        lambda cloud, server: cloud.compute.create_server_remote_console(
            server, protocol="serial", type="serial"
        ),
        lambda cloud, server: cloud.compute.delete_server(server),
    ],
    ids=["reboot", "stop", "pause", "snapshot", "metadata", "console", "delete"],
)
def test_a_reader_looks_and_does_not_act(
    site: Site, people: People, standing: str, act: Callable[[Any, str], Any]
) -> None:
    """The role reader shows a container, and lets nothing be done to it."""
    assert people.reader.compute.get_server(standing).status == "ACTIVE"
    with pytest.raises(ForbiddenException):
        act(people.reader, standing)
    assert site.server(standing).task_state is None


def test_a_reader_makes_nothing(site: Site, people: People, web: str) -> None:
    """Neither a server nor an image."""
    with pytest.raises(ForbiddenException):
        people.reader.compute.create_server(
            name="mine", image_id=web, flavor_id=_flavor(site), networks="none"
        )
    form = {"container_format": "docker", "disk_format": "raw"}
    assert people.reader.image.post("/images", json=form).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "act",
    [
        lambda compute, _: compute.create_flavor(name="mine", vcpus=1, ram=1, disk=1),
        lambda compute, _: compute.create_flavor_extra_specs(
            compute.find_flavor("c1.nano"), {"docker:pids_limit": "9999"}
        ),
        lambda compute, _: list(compute.hypervisors()),
        lambda compute, _: list(compute.services()),
        lambda compute, server: compute.reset_server_state(server, "error"),
        lambda compute, server: compute.migrate_server(server),
        lambda compute, _: list(compute.servers(all_projects=True)),
    ],
    ids=["flavor", "extra specs", "hypervisors", "services", "state", "migrate", "all projects"],
)
def test_a_member_does_not_do_what_is_reserved(
    site: Site, standing: str, act: Callable[[Any, str], Any]
) -> None:
    """Rights and limits come from flavors, which are the administrator's alone."""
    with pytest.raises(ForbiddenException):
        act(site.demo.compute, standing)


def test_another_project_sees_nothing(
    people: People, standing: str, web: str, standing_address: str
) -> None:
    """Servers, logs, images, ports and addresses belong to their project only."""
    cloud = people.stranger
    assert not list(cloud.compute.servers())
    for ask in (cloud.compute.get_server, cloud.compute.get_server_console_output):
        with pytest.raises(NotFoundException):
            ask(standing)
    with pytest.raises(NotFoundException):
        cloud.image.get_image(web)
    assert not list(cloud.network.ports(device_id=standing))
    assert standing_address not in [each.floating_ip_address for each in cloud.network.ips()]


def test_an_application_credential_acts_for_its_user(site: Site, tenant: Tenant, web: str) -> None:
    """A program with an application credential acts as the maker; a reader's acts on nothing."""
    with _credential(site, "member") as member, _credential(site, "reader") as reader:
        group = [{"name": "web"}]
        network = site.demo.network.find_network("private").id
        made = member.compute.create_server(
            name="by-a-program",
            image_id=web,
            flavor_id=_flavor(site),
            networks=[{"uuid": network}],
            security_groups=group,
        )
        tenant.servers.append(made.id)
        site.wait(made.id, "ACTIVE")
        assert site.server(made.id).user_id == site.demo.current_user_id
        with pytest.raises(ForbiddenException):
            reader.compute.delete_server(made.id)
        member.compute.delete_server(made.id)
        until(lambda: not _exists(site, made.id), "the server to be gone")


@contextlib.contextmanager
def _credential(site: Site, role: str, seconds: float = 3600) -> Iterator[Any]:
    identity, user = site.demo.identity, site.demo.current_user_id
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    made = identity.create_application_credential(
        user,
        name=f"test-{uuid.uuid4().hex[:8]}",
        roles=[{"name": role}],
        expires_at=expires.strftime("%Y-%m-%dT%H:%M:%S.%f"),
    )
    try:
        yield _connect(
            site, application_credential_id=made.id, application_credential_secret=made.secret
        )
    finally:
        identity.delete_application_credential(user, made)


def _exists(site: Site, server: str) -> bool:
    try:
        return bool(site.server(server))
    except NotFoundException:
        return False


def test_a_trust_lets_another_user_act(site: Site, people: People, standing: str) -> None:
    """A trustee acts with the owner's rights; the end of the trust ends them."""
    user, project = site.demo.current_user_id, site.demo.current_project_id
    trust = site.demo.identity.create_trust(
        trustor_user_id=user,
        trustee_user_id=people.strange_user,
        project_id=project,
        impersonation=True,
        roles=[{"name": "member"}],
    )
    auth = {**people.stranger.config.auth, "trust_id": trust.id}
    auth.pop("project_id")

    def trusted() -> Any:
        return Connection(auth=auth, region_name="RegionOne", identity_api_version="3")

    try:
        compute = trusted().compute
        assert compute.get_server(standing).id == standing
        compute.set_server_metadata(standing, trusted="yes")
        assert site.server(standing).metadata["trusted"] == "yes"
        compute.delete_server_metadata(standing, ["trusted"])
    finally:
        site.demo.identity.delete_trust(trust)
    # A token that it gave is known to Nova for some minutes more; another is not to be had.
    with pytest.raises(SDKException, match="requires authentication"):
        trusted().authorize()


@pytest.mark.parametrize(("limit", "value"), [("instances", 0), ("cores", 0), ("ram", 32)])
def test_a_quota_holds(site: Site, people: People, web_shared: str, limit: str, value: int) -> None:
    """Servers, processors and memory beyond a project's quota are refused."""
    compute = site.admin.compute
    compute.update_quota_set(people.strange_project, **{limit: value})
    try:
        with pytest.raises(ForbiddenException, match=f"(?i)quota.*{limit}"):
            people.stranger.compute.create_server(
                name="too-much",
                image_id=web_shared,
                flavor_id=_flavor(site),
                networks="none",
            )
        assert not list(people.stranger.compute.servers())
    finally:
        compute.revert_quota_set(people.strange_project)


def test_a_quota_of_ports_holds(site: Site, people: People, web_shared: str) -> None:
    """A server beyond the quota of ports is refused before its build."""
    network = people.stranger.network.create_network(name="own")
    people.stranger.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.77.0.0/24")
    used = len(list(site.admin.network.ports(project_id=people.strange_project)))
    site.admin.network.update_quota(people.strange_project, port=used)
    try:
        with pytest.raises(ForbiddenException, match=r"(?i)port"):
            people.stranger.compute.create_server(
                name="too-much",
                image_id=web_shared,
                flavor_id=_flavor(site),
                networks=[{"uuid": network.id}],
            )
        assert not list(people.stranger.compute.servers())
    finally:
        site.admin.network.delete_quota(people.strange_project)
        people.stranger.network.delete_network(network)


@pytest.fixture(scope="module")
def web_shared(site: Site, people: People, web: str) -> Iterator[str]:
    """The image with a web server, shared with the other project."""
    site.demo.image.update_image(web, visibility="shared")
    site.demo.image.add_member(web, member_id=people.strange_project)
    people.stranger.image.update_member(people.strange_project, web, status="accepted")
    yield web
    site.demo.image.remove_member(people.strange_project, web)


def test_a_token_may_expire_while_an_image_is_loaded(
    site: Site, tenant: Tenant, web_archive: Path
) -> None:
    """Glance stands still until the token of the request has expired; the server runs."""
    image = tenant.upload(web_archive)
    with _credential(site, "member", seconds=LIFETIME) as cloud:
        server = cloud.compute.create_server(
            name="late", image_id=image, flavor_id=_flavor(site), networks="none"
        ).id
        tenant.servers.append(server)
        _keep_glance_until_expired(site)
        site.wait(server, "ACTIVE")


def test_a_token_may_expire_while_a_snapshot_is_saved(
    site: Site, tenant: Tenant, standing: str
) -> None:
    """Glance stands still until the token of the request has expired; the image is whole."""
    with _credential(site, "member", seconds=LIFETIME) as cloud:
        image = cloud.compute.create_server_image(standing, "late", wait=False).id
        tenant.images.append(image)
        _keep_glance_until_expired(site)
        until(lambda: site.demo.image.get_image(image).status == "active", "the snapshot")
    site.wait(standing, "ACTIVE")


def _keep_glance_until_expired(site: Site) -> None:
    glance = psutil.Process(site.pid("glance"))
    glance.suspend()
    try:
        # The credential was made before: what it gave ends within this time.
        time.sleep(LIFETIME)
    finally:
        glance.resume()
