# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.host.advisories import ADVISORIES, AUTHORIZATION, concerning

CURRENT = {"Engine": "29.9.0", "containerd": "2.3.5", "runc": "1.4.4"}


def named(component: str, version: str) -> set[str]:
    """Return the advisories that a version has."""
    said = " ".join(concerning({component: version}, features={AUTHORIZATION}))
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
        ("runc", "1.4.0-rc.1", "CVE-2025-31133", True),
        ("runc", "1.4.0-rc.3", "CVE-2025-31133", False),
        ("runc", "1.4.0", "CVE-2025-31133", False),
        ("runc", "1.0.0-rc6", "CVE-2019-5736", True),
        ("runc", "1.0.0", "CVE-2019-5736", False),
        ("runc", "1.3.5", "CVE-2026-41579", True),
        ("runc", "1.5.0", "CVE-2026-41579", False),
        ("containerd", "1.6.20~ds1", "CVE-2024-25621", True),
        ("containerd", "v2.1.5", "CVE-2024-25621", False),
        ("Engine", "29.3.0", "CVE-2026-34040", True),
        ("Engine", "28.5.2", "CVE-2026-42306", True),
        ("Engine", "dev", "CVE-2026-42306", False),
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
    assert concerning({"crun": "0.1.0"}) == []


def test_an_operator_is_told_what_to_do() -> None:
    """The sentence names the version found, the vulnerability and the versions without it."""
    said = next(text for text in concerning({"runc": "1.1.5"}) if "CVE-2025-31133" in text)
    assert said.startswith("runc 1.1.5 is of a version with CVE-2025-31133")
    assert said.endswith("upgrade to 1.2.8 or 1.3.3 or 1.4.0-rc.3")


def test_what_a_distribution_has_mended_is_not_told() -> None:
    """An old number with new code cries no wolf."""
    said = concerning({"runc": "1.1.5"}, mended={"CVE-2024-21626"})
    assert not any("CVE-2024-21626" in each for each in said)
    assert any("CVE-2025-31133" in each for each in said)


def test_a_way_round_plugins_matters_where_there_are_some() -> None:
    """An engine that shows its calls to nobody has nothing to get round."""
    version = {"Engine": "29.3.0"}
    assert not any("AuthZ" in each for each in concerning(version))
    assert any("AuthZ" in each for each in concerning(version, features={AUTHORIZATION}))
