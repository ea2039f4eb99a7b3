# SPDX-License-Identifier: Apache-2.0
"""One Heat stack with a virtual machine and a container: the template of examples/heat."""

from novadocker.cloud.demo import serial_line
from tests.hybrid.conftest import PATIENCE, Domains
from tests.support.cloud_site import Site, page, until
from tests.support.cloud_stacks import EXAMPLES, Stacks

TEMPLATE = EXAMPLES / "heat/hybrid.yaml"


def test_one_stack_has_a_server_of_each_kind(
    site: Site, stacks: Stacks, domains: Domains, web: str, machine_image: str
) -> None:
    """Both serve their pages outside and to each other, a check finds them well, a delete both."""
    stack = stacks.create(TEMPLATE, container_image=web, machine_image=machine_image)
    machine, container = stacks.output(stack, "machine"), stacks.output(stack, "container")
    assert domains.uuids() == {machine}
    for kind in ("container", "machine"):
        assert "Hello from" in page(stacks.output(stack, f"{kind}_address"), PATIENCE)
    assert site.reaches(container, stacks.output(stack, "machine_fixed"))
    address = stacks.output(stack, "container_fixed")
    asked = rf"printf 'GET / HTTP/1.0\r\n\r\n' | nc {address} 80"
    until(lambda: "Hello from" in serial_line.ask(site.host, machine, asked), "the other's page")
    stacks.check(stack)
    stacks.delete(stack)
    assert domains.uuids() == set()
