# SPDX-License-Identifier: Apache-2.0
"""Known ways out of a container, by version. Pure.

Sources: the projects' security advisories on GitHub, their changelogs and the CVE records, as of
November 2026. What needs a way of using them that is not ours is left out: containerd's CRI,
containers that share the host's network, builds, plugins, checkpoints that are restored.
"""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

Version = tuple[float, ...]

AUTHORIZATION = "authorization"
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-(?:rc|beta|alpha)\.?(\d+))?")


@dataclass(frozen=True)
class Advisory:
    """One vulnerability.

    Attributes:
        name: CVE number.
        component: as the engine names it in ``GET /version``.
        fixed: the first versions without it, one for each release line that was mended.
        effect: consequence, in a few words.
        needs: feature of the engine without which there is no harm; "" is none.
    """

    name: str
    component: str
    fixed: tuple[str, ...]
    effect: str
    needs: str = ""

    def concerns(self, version: Version) -> bool:
        """Tell whether a version is concerned.

        Args:
            version: version of the component.

        Returns:
            True unless the version is at or past the fix of its own release line, or past
            all lines that were mended.
        """
        fixed = [version_of(each) for each in self.fixed]
        line = [fix for fix in fixed if fix[:2] == version[:2]]
        return version < (line[0] if line else max(fixed))


_OF_2025 = ("1.2.8", "1.3.3", "1.4.0-rc.3")
_OF_COPYING = ("29.5.1",)
ADVISORIES = (
    Advisory("CVE-2019-5736", "runc", ("1.0.0-rc7",), "the host's runc overwritten"),
    Advisory("CVE-2021-30465", "runc", ("1.0.0-rc95",), "mounts led outside by exchanged links"),
    Advisory("CVE-2023-28642", "runc", ("1.1.5",), "AppArmor passed by a link at /proc"),
    Advisory("CVE-2024-21626", "runc", ("1.1.12",), "a working directory outside its root"),
    Advisory("CVE-2024-45310", "runc", ("1.1.14", "1.2.0-rc.3"), "empty files made on the host"),
    Advisory("CVE-2025-31133", "runc", _OF_2025, "masked paths made writable"),
    Advisory("CVE-2025-52565", "runc", _OF_2025, "/dev/console bound elsewhere"),
    Advisory("CVE-2025-52881", "runc", _OF_2025, "writes to procfs sent elsewhere"),
    Advisory("CVE-2026-41579", "runc", ("1.3.6", "1.4.3", "1.5.0-rc.3"), "an image's link at /dev"),
    Advisory("CVE-2021-41103", "containerd", ("1.4.11", "1.5.7"), "open bundle directories"),
    Advisory(
        "CVE-2024-25621",
        "containerd",
        ("1.7.29", "2.0.7", "2.1.5", "2.2.0"),
        "directories open to the host's users",
    ),
    Advisory("CVE-2021-21284", "Engine", ("20.10.3",), "mapped root becomes the host's"),
    Advisory("CVE-2021-41089", "Engine", ("20.10.9",), "modes of the host's files changed"),
    Advisory("CVE-2021-41091", "Engine", ("20.10.9",), "files open to the host's users"),
    Advisory("CVE-2022-36109", "Engine", ("20.10.18",), "group rights that were taken away"),
    Advisory(
        "CVE-2024-41110",
        "Engine",
        ("23.0.15", "25.0.6", "26.1.5", "27.1.1"),
        "AuthZ bypass",
        AUTHORIZATION,
    ),
    Advisory("CVE-2026-34040", "Engine", ("29.3.1",), "AuthZ bypass", AUTHORIZATION),
    Advisory("CVE-2026-41567", "Engine", _OF_COPYING, "a program run as host root on copy-in"),
    Advisory(
        "CVE-2026-41568", "Engine", _OF_COPYING, "files made on the host while files are copied"
    ),
    Advisory("CVE-2026-42306", "Engine", _OF_COPYING, "mounts led outside while files are copied"),
)


def concerning(
    components: Mapping[str, str],
    mended: Collection[str] = (),
    features: Collection[str] = (),
) -> list[str]:
    """Name the vulnerabilities of an engine's versions.

    Args:
        components: versions by component, as the engine tells them.
        mended: numbers of what the distribution mended without another version.
        features: features of the engine among those needed.

    Returns:
        One sentence for each advisory.
    """
    return [
        f"{each.component} {components[each.component]} is of a version with {each.name} "
        f"({each.effect}); unless your distribution mended it, upgrade to "
        f"{' or '.join(each.fixed)}"
        for each in ADVISORIES
        if each.component in components
        and each.name not in mended
        and (not each.needs or each.needs in features)
        and each.concerns(version_of(components[each.component]))
    ]


def version_of(text: str) -> Version:
    """Read a version.

    Args:
        text: as the engine tells it, a distribution's additions among it.

    Returns:
        Three numbers, and that of a release candidate; a release is past all of them. What is
        no version is past every fix: nothing can be said of it.
    """
    matched = _VERSION.match(text)
    if not matched:
        return (math.inf,)
    *numbers, candidate = matched.groups()
    return (*map(int, numbers), math.inf if candidate is None else int(candidate))
