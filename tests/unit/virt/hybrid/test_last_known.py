# SPDX-License-Identifier: Apache-2.0
"""Last answer of an engine that is away."""

from novadocker.errors import EngineError
from novadocker.virt.hybrid.last_known import LastKnown


def test_the_last_answer_counts_while_an_engine_is_away() -> None:
    """An inventory stays as it is during a restart of the engine; the first answer is None."""
    answers: list[int | Exception] = [EngineError(action="answer", reason="away"), 7]

    def ask() -> int:
        answer = answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    known = LastKnown(ask)
    assert known.value() is None
    answers.pop(0)
    assert known.value() == 7
    answers.insert(0, EngineError(action="answer", reason="away"))
    assert known.value() == 7
