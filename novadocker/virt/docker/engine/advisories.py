# SPDX-License-Identifier: Apache-2.0
"""Known ways out of a container, by the versions that have them. Pure.

Sources: the projects' security advisories on GitHub and their changelogs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Version = tuple[int, ...]


@dataclass(frozen=True)
class Advisory:
    """One vulnerability.

    Attributes:
        name: its CVE number.
        component: as the engine names it in ``GET /version``.
        fixed: the first version without it, one for each release line that was mended.
        effect: what it allows.
    """

    name: str
    component: str
    fixed: tuple[Version, ...]
    effect: str

    def concerns(self, version: Version) -> bool:
        """Tell whether a version has it.

        Args:
            version: of the component.

        Returns:
            True unless the version is at or past the fix of its own release line, or past
            all lines that were mended.
        """
        line = [fix for fix in self.fixed if fix[:2] == version[:2]]
        return version < (line[0] if line else max(self.fixed))


ADVISORIES = (
    Advisory("CVE-2024-21626", "runc", ((1, 1, 12),), "a working directory outside its root"),
    Advisory("CVE-2025-31133", "runc", ((1, 2, 8), (1, 3, 3)), "masked paths made writable"),
    Advisory("CVE-2025-52565", "runc", ((1, 2, 8), (1, 3, 3)), "/dev/console bound elsewhere"),
    Advisory("CVE-2025-52881", "runc", ((1, 2, 8), (1, 3, 3)), "writes to procfs sent elsewhere"),
    Advisory("CVE-2024-41110", "Engine", ((23, 0, 15), (26, 1, 5), (27, 1, 1)), "AuthZ bypass"),
    Advisory("CVE-2026-41567", "Engine", ((29, 5, 1),), "a program run as host root on copy-in"),
)


def concerning(components: Mapping[str, str]) -> list[str]:
    """Name what is known about an engine's versions.

    Args:
        components: versions by component, as the engine tells them. Distributions mend old
            versions without renaming them, which cannot be seen from here.

    Returns:
        One sentence for each advisory.
    """
    return [
        f"{each.component} {components[each.component]} is of a version with {each.name} "
        f"({each.effect}); unless your distribution mended it, upgrade to "
        f"{' or '.join('.'.join(map(str, fix)) for fix in each.fixed)}"
        for each in ADVISORIES
        if each.component in components and each.concerns(_version(components[each.component]))
    ]


def _version(text: str) -> Version:
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0])[:3])
