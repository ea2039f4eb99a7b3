# SPDX-License-Identifier: Apache-2.0
"""Trial of CRIU at the start of nova-compute."""

from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.errors import CheckpointError
from novadocker.virt.docker.checkpoint import trial
from novadocker.virt.docker.checkpoint.trial import TRAIT, Trial


def _trial(monkeypatch: pytest.MonkeyPatch, runtime: str = "novadocker", told: str = "") -> Trial:
    monkeypatch.setattr(trial.criu, "find", lambda _: "/usr/sbin/criu")
    monkeypatch.setattr(trial.probe, "attempt", lambda *_: told)
    engine: Any = SimpleNamespace(info=lambda: SimpleNamespace(default_runtime=runtime))
    return Trial(engine, "criu", 60)


def test_a_host_whose_criu_works_has_the_trait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the trial is over it has not."""
    made = _trial(monkeypatch)
    assert made.traits == {TRAIT: False}
    made.run()
    assert made.traits == {TRAIT: True}


def test_a_host_whose_criu_fails_has_no_trait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is CRIU's own."""
    made = _trial(monkeypatch, told="dump: sockets: Can't get 1:16 opt")
    made.run()
    assert made.traits == {TRAIT: False}
    assert "1:16" in made.reason


def test_a_host_without_the_runtime_has_no_trait(monkeypatch: pytest.MonkeyPatch) -> None:
    """CRIU alone restores no container."""
    made = _trial(monkeypatch, runtime="runc")
    made.run()
    assert made.traits == {TRAIT: False}
    assert "runc" in made.reason


def test_a_host_without_criu_has_no_trait(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no fault of the host."""
    made = _trial(monkeypatch)

    def none(_: str) -> str:
        raise CheckpointError(reason="[docker] criu names no program")

    monkeypatch.setattr(trial.criu, "find", none)
    made.run()
    assert made.traits == {TRAIT: False}
    assert "names no program" in made.reason
