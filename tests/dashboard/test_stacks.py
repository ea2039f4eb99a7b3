# SPDX-License-Identifier: Apache-2.0
"""The catalogue and the examples, from the dashboard's pages of stacks."""

from pathlib import Path

import pytest
import yaml
from selenium.webdriver.common.by import By

from novadocker.cloud.samples import CACHE
from novadocker.cloud.samples.applications import NGINX
from tests.dashboard.conftest import Things
from tests.support.cloud_site import Site, Tenant, page
from tests.support.cloud_stacks import EXAMPLES, Stacks
from tests.support.dashboard_pages import Browser

CATALOGUE = EXAMPLES / "catalogue"
ENTRIES = sorted(CATALOGUE.glob("*/template.yaml"), key=str)
STACKS = "project/stacks/"


def test_an_entry_is_deployed_and_deleted(
    site: Site,
    person: Browser,
    things: Things,
    owner: Tenant,
    stacks: Stacks,
    passwords: dict[str, str],
) -> None:
    """The page of a stack shows the values typed into the form."""
    image = owner.upload(NGINX.saved(CACHE, site.host.engine.url))
    name = things.name("page")
    template = CATALOGUE / "web/template.yaml"
    person.stack(name, passwords["demo"], template, image=image, title="Bread", text="and butter")
    person.confirm("Launch")
    stack = stacks.heat.stacks.get(name).id
    stacks.made.append(stack)
    person.wait(lambda: "Create Complete" in person.row(name), f"{name} to be complete")
    person.press(name)
    person.press("Overview")
    url = stacks.output(stack, "url")
    person.sees(url)
    assert "<h1>Bread</h1><p>and butter" in page(url.removeprefix("http://").strip("/"))
    person.open(STACKS)
    person.act(name, "Delete Stack")
    person.confirm("Delete Stack")
    person.wait(lambda: not person.row(name), "the row to be gone")
    stacks.made.remove(stack)
    assert name not in {each.stack_name for each in stacks.heat.stacks.list()}


@pytest.mark.parametrize("template", ENTRIES, ids=[each.parent.name for each in ENTRIES])
def test_a_form_keeps_the_defaults(
    person: Browser, things: Things, passwords: dict[str, str], template: Path
) -> None:
    """An unchanged form makes a stack with the entry's values."""
    person.stack(things.name("unmade"), passwords["demo"], template)
    person.find("//*[@name='stack_name']")
    for name, parameter in yaml.safe_load(template.read_text())["parameters"].items():
        field = person.driver.find_element(By.NAME, f"__param_{name}")
        if parameter["type"] == "boolean":
            assert field.is_selected() == parameter["default"]
        else:
            assert field.get_attribute("value") == str(parameter.get("default", ""))


def test_the_drivers_reason_is_on_the_page(
    site: Site,
    person: Browser,
    things: Things,
    owner: Tenant,
    stacks: Stacks,
    passwords: dict[str, str],
    web_archive: Path,
) -> None:
    """A stack beyond a container's abilities fails in words."""
    images = {
        "image": owner.upload(web_archive),
        "unfit_image": owner.upload(web_archive, hw_firmware_type="uefi"),
    }
    name = things.name("refused")
    person.stack(name, passwords["demo"], EXAMPLES / "heat/refused.yaml")
    for parameter, image in images.items():
        person.choose(f"__param_{parameter}", site.demo.image.get_image(image).name)
    person.confirm("Launch")
    stacks.made.append(stacks.heat.stacks.get(name).id)
    person.wait(lambda: "Create Failed" in person.row(name), f"{name} to fail")
    person.press(name)
    person.press("Overview")
    person.sees("hw_firmware_type")
