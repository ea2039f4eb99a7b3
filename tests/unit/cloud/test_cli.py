# SPDX-License-Identifier: Apache-2.0
import contextlib
from pathlib import Path

import pytest

from novadocker.cloud import cli
from novadocker.cloud.layout import settings


@pytest.mark.parametrize("command", ["status", "logs", "down", "purge"])
def test_without_a_cloud_a_command_says_so(
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command without a cloud names the directory and the way out, and makes nothing there."""
    monkeypatch.setattr(cli.os, "geteuid", lambda: 0)
    # Another cloud of this machine may be starting just now.
    monkeypatch.setattr(cli.lock, "held", contextlib.nullcontext)
    assert cli.main(["--state", str(tmp_path / "none"), command]) == 1
    assert f"{tmp_path / 'none'} cannot be used: there is no cloud" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_only_root_may_use_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command without root's rights gives the reason at once."""
    monkeypatch.setattr(cli.os, "geteuid", lambda: 1000)
    assert cli.main(["status"]) == 1
    assert "needs root" in capsys.readouterr().err


def test_additions_are_named_together_or_apart() -> None:
    """Names may stand in a list or each behind a separate option."""
    asked = cli._parser().parse_args(["up", "--with", "heat,fake-host", "--without", "heat"])
    assert (getattr(asked, "with"), asked.without) == (["heat", "fake-host"], ["heat"])


def test_an_unknown_addition_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown addition is refused with the known additions."""
    with pytest.raises(SystemExit):
        cli.main(["up", "--with", "heat,murano"])
    known = ", ".join(settings.ADDITIONS)
    assert f"'murano' is none of {known}" in capsys.readouterr().err
