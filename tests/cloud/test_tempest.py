# SPDX-License-Identifier: Apache-2.0
"""OpenStack's own tests of a cloud: those that try each kind of action once."""

import pytest

from tests.support.cloud_site import Site
from tests.tempest import contents
from tests.tempest.workspace import SUBSET, Workspace


@pytest.mark.timeout(900)
def test_tempest_passes(site: Site) -> None:
    """Every test of the subset passes; ./test tempest runs the rest as well."""
    workspace = Workspace(site.layout.state / "tempest")
    with contents.subject(site.layout, workspace.path) as subject:
        workspace.prepare(subject)
        report = workspace.run(SUBSET, "", tell=print)
    assert report.is_good, f"{report}; traces are in {workspace.log}"
    projects = [project.name for project in site.admin.identity.projects()]
    assert not [name for name in projects if name.startswith("tempest")]
