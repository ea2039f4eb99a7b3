# SPDX-License-Identifier: Apache-2.0
"""Impossible actions are absent, or fail in words on the page."""

from pathlib import Path

from tests.dashboard.conftest import Things
from tests.support.cloud_site import Site, Tenant
from tests.support.dashboard_pages import MODAL, Browser

INSTANCES = "project/instances/"


def test_what_is_no_image_says_so(person: Browser, things: Things, tmp_path: Path) -> None:
    """The list and the page of the server tell what is wrong with the archive."""
    thesis = tmp_path / "thesis.tex"
    thesis.write_text("mine, and long\n" * 1000)
    image, server = things.name("thesis"), things.name("unmade")
    person.upload(image, thesis)
    person.finish()
    person.wait(lambda: "Active" in person.row(image), f"{image} to be Active")
    person.launch(name=server, image=image, flavor="c1.nano", network="private")
    person.finish()
    reason = "is not a sound 'docker save' archive: it is not a tar archive"
    person.wait(lambda: "Error" in person.row(server), f"{server} to be Error")
    person.sees(reason)
    person.press(server)
    person.sees(reason)


def test_the_wizard_refuses_a_flavor_that_is_too_small(
    site: Site, person: Browser, things: Things, owner: Tenant, web_archive: Path
) -> None:
    """A form with too small a flavor tells the image's needs and stops; another flavor passes."""
    image = site.demo.image.get_image(owner.upload(web_archive))
    site.demo.image.update_image(image, min_ram=128)
    person.launch(name=things.name("small"), image=image.name, flavor="c1.nano", network="private")
    finish = f"{MODAL}//button[contains(@class, 'finish')]"
    assert not person.find(finish).is_enabled()
    person.step("Flavor")
    # Beside the amount, as a sign that explains itself.
    person.find("//*[contains(@uib-popover, 'requires a flavor with at least 128 MB of RAM')]")


def test_no_action_is_offered_that_the_driver_refuses(
    site: Site, person: Browser, standing: str, web: str
) -> None:
    """Suspend would be called done before it is refused; volumes there are none."""
    person.open(INSTANCES)
    offered = person.offered("standing")
    assert "Pause Instance" in offered
    assert not [action for action in offered if "Suspend" in action or "Volume" in action]
    person.open("project/images")
    offered = person.offered(site.demo.image.get_image(web).name)
    assert "Edit Image" in offered
    assert not [action for action in offered if "Volume" in action]
