# SPDX-License-Identifier: Apache-2.0
"""Heat's software configuration: parts for containers, and parts for agents."""

import json
import shlex
from pathlib import Path

import pytest
from heatclient.exc import HTTPBadRequest

from tests.support.cloud_site import Site, until
from tests.support.cloud_stacks import EXAMPLES, Stacks

DEPLOYMENT = Path(__file__).parent / "deployment.yaml"


def test_a_software_config_is_user_data(site: Site, stacks: Stacks, running: str) -> None:
    """A script as a resource of its own is run like any user data."""
    stack = stacks.create(EXAMPLES / "heat/software_config.yaml", image=running)
    server = stacks.output(stack, "server")
    hostname = site.server(server).hostname
    until(lambda: f"configured on {hostname}" in site.console(server), "the script to have run")
    stacks.check(stack)
    stacks.delete(stack)


def test_a_deployment_on_raw_user_data_is_refused(stacks: Stacks, running: str) -> None:
    """Heat refuses a deployment without an agent before anything is made."""
    wanted = {"image": running, "format": "RAW", "signal": "NO_SIGNAL"}
    with pytest.raises(HTTPBadRequest, match="should be set to SOFTWARE_CONFIG"):
        stacks.request(DEPLOYMENT, wanted)


def test_nothing_of_a_deployment_runs_without_an_agent(
    site: Site, stacks: Stacks, running: str
) -> None:
    """Heat's bundle for cloud-init is left alone, and the console tells."""
    stack = stacks.create(DEPLOYMENT, image=running, format="SOFTWARE_CONFIG", signal="NO_SIGNAL")
    server = stacks.output(stack, "server")
    until(lambda: "left alone" in site.console(server), "the console to tell of the bundle")
    assert "deployed on" not in site.console(server)
    stacks.delete(stack)


def test_a_deployment_is_complete_when_its_server_says_so(
    site: Site, stacks: Stacks, running: str
) -> None:
    """A stack is in progress until the agent's signal, here sent from inside."""
    wanted = {"image": running, "format": "SOFTWARE_CONFIG", "signal": "CFN_SIGNAL"}
    stack = stacks.request(DEPLOYMENT, wanted)
    inputs = until(lambda: _inputs(stacks, stack), "the deployment to be offered")
    server = stacks.heat.resources.get(stack, "server").physical_resource_id
    site.wait(server, "ACTIVE")
    assert stacks.heat.stacks.get(stack).stack_status == "CREATE_IN_PROGRESS"
    said = shlex.quote(json.dumps({"told": "deployed", "deploy_status_code": "0"}))
    header = "--header 'Content-Type: application/json'"
    url = shlex.quote(inputs["deploy_signal_id"])
    site.run(server, "sh", "-c", f"wget -q -O - {header} --post-data {said} {url}")
    stacks.wait(stack, "CREATE_COMPLETE")
    assert stacks.output(stack, "told") == "deployed"
    stacks.delete(stack)


def _inputs(stacks: Stacks, stack: str) -> dict[str, str]:
    """Return an agent's data in the metadata of a server; empty before their arrival."""
    found = {each.resource_name for each in stacks.heat.resources.list(stack)}
    if "server" not in found:
        return {}
    told = stacks.heat.resources.metadata(stack, "server").get("deployments", [])
    return {each["name"]: each["value"] for one in told for each in one["inputs"]}
