# SPDX-License-Identifier: Apache-2.0
"""Page of the first hour, typed line by line in one shell."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from novadocker.cloud.samples import CACHE, WEB
from tests.support import first_hour
from tests.support.cloud_fixtures import novadocker_cloud
from tests.support.cloud_site import Site

PAGE = (Path(__file__).parents[3] / "docs/first-hour.md").read_text()
END = "end of a line's output, code "
MOST_SECONDS = 360


class Shell:
    """Bash with a cloud.

    Args:
        folder: directory of the files that the page names.
        site: the cloud.
    """

    def __init__(self, folder: Path, site: Site) -> None:
        self._bash = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            text=True,
        )
        self.type(novadocker_cloud("--state", str(site.layout.state), "env").stdout)
        self.type(f"export DOCKER_HOST={site.host.engine.url}")

    def type(self, line: str) -> tuple[int, str]:
        """Run a line, and return its exit code and its output."""
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f'{line}\necho "{END}$?"\n')
        self._bash.stdin.flush()
        output: list[str] = []
        for text in self._bash.stdout:
            before, marked, code = text.partition(END)
            output.append(before)
            if marked:
                return int(code), "".join(output)
        pytest.fail(f"the shell ended after {line}: {''.join(output)}")

    def close(self) -> None:
        """End the shell."""
        self._bash.communicate(timeout=30)


@pytest.fixture(scope="module")
def shell(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Yield a shell with what a newcomer has: an image, saved and in an engine."""
    folder = tmp_path_factory.mktemp("first-hour")
    (folder / "mine.tar").symlink_to(WEB.saved(CACHE, site.host.engine.url))
    first_hour.write_mistakes(folder)
    with (folder / "mine.tar").open("rb") as archive:
        loaded = list(site.engine.load_image(archive))
    name = str(loaded[-1]["stream"]).split()[-1]
    site.engine.tag(name, "mine", "latest")
    shell = Shell(folder, site)
    yield shell
    shell.close()
    site.engine.remove_image("mine:latest", noprune=True)


@pytest.fixture
def nothing_left(site: Site) -> Iterator[None]:
    """Take away the servers and images that the page made."""
    compute, glance = site.demo.compute, site.demo.image
    before = {each.id for each in (*compute.servers(), *glance.images())}
    yield
    for server in compute.servers():
        if server.id not in before:
            compute.delete_server(server)
            compute.wait_for_delete(server)
    for image in glance.images():
        if image.id not in before:
            glance.delete_image(image)


@pytest.mark.timeout(900)
def test_every_line_of_the_page_does_what_it_says(
    site: Site,
    shell: Shell,
    nothing_left: None,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """Each line succeeds, and shows the words that the page promises."""
    began = time.monotonic()
    for heading in ("Boot my image", "Reach it", "Change it"):
        for row in first_hour.rows(PAGE, heading):
            code, output = shell.type(row.command)
            assert (code, [text for text in row.seen if text not in output]) == (0, []), output
    for row in first_hour.rows(PAGE, "Mistakes told by the server"):
        _, output = shell.type(row.command)
        assert [text for text in row.seen if text not in output] == [], (row.command, output)
    for row in first_hour.rows(PAGE, "Leave nothing behind"):
        code, output = shell.type(row.command)
        assert code == 0, (row.command, output)
    seconds = time.monotonic() - began
    record_testsuite_property("seconds of the first hour", seconds)
    assert seconds < MOST_SECONDS
