# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.engine.advisories import ADVISORIES, concerning

CURRENT = {"Engine": "29.5.1", "containerd": "2.2.0", "runc": "1.4.0"}


def named(component: str, version: str) -> set[str]:
    """Return the advisories that a version has."""
    said = " ".join(concerning({component: version}))
    return {each.name for each in ADVISORIES if each.name in said}


@pytest.mark.parametrize(
    ("component", "version", "name", "has"),
    [
        ("runc", "1.1.5+ds1", "CVE-2024-21626", True),
        ("runc", "1.1.11", "CVE-2024-21626", True),
        ("runc", "1.1.12", "CVE-2024-21626", False),
        ("runc", "1.2.0", "CVE-2024-21626", False),
        ("runc", "1.2.7", "CVE-2025-31133", True),
        ("runc", "1.2.8", "CVE-2025-31133", False),
        ("runc", "1.3.2", "CVE-2025-31133", True),
        ("runc", "1.3.3", "CVE-2025-31133", False),
        ("runc", "1.1.15", "CVE-2025-31133", True),
        ("runc", "1.4.0-rc.1", "CVE-2025-31133", False),
        ("Engine", "20.10.24+dfsg1", "CVE-2024-41110", True),
        ("Engine", "26.1.5", "CVE-2024-41110", False),
        ("Engine", "26.0.1", "CVE-2024-41110", True),
        ("Engine", "27.1.1", "CVE-2024-41110", False),
        ("Engine", "29.5.0", "CVE-2026-41567", True),
        ("Engine", "29.5.1", "CVE-2026-41567", False),
    ],
)
def test_a_version_has_what_its_own_line_has_not_mended(
    component: str, version: str, name: str, has: bool
) -> None:
    """A fix counts on the line that it was made for and on lines newer than all fixes."""
    assert (name in named(component, version)) is has


def test_nothing_is_said_of_current_versions() -> None:
    """An operator who is up to date reads no warning."""
    assert concerning(CURRENT) == []


def test_nothing_is_said_of_components_that_are_not_there() -> None:
    """An engine with another runtime than runc has no runc to warn of."""
    assert concerning({"containerd": "1.0.0"}) == []


def test_an_operator_is_told_what_to_do() -> None:
    """The sentence names the version found, the vulnerability and the versions without it."""
    said = next(text for text in concerning({"runc": "1.1.5"}) if "CVE-2025-31133" in text)
    assert said.startswith("runc 1.1.5 is of a version with CVE-2025-31133")
    assert said.endswith("upgrade to 1.2.8 or 1.3.3")
