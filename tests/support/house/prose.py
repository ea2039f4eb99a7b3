# SPDX-License-Identifier: Apache-2.0
"""Figures of the prose in a package: summaries, argument lines, comments.

``python -m tests.support.house.prose novadocker/archive`` prints the figures and the lines to mend.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PRONOUNS = frozenset(
    [
        "it",
        "its",
        "itself",
        "they",
        "them",
        "their",
        "theirs",
        "themselves",
        "that",
        "this",
        "these",
        "those",
        "he",
        "his",
        "him",
        "which",
        "who",
        "whom",
        "whose",
        "what",
        "whatever",
        "whoever",
        "whichever",
        "one",
        "ones",
    ]
)
WEAK_OPENINGS = frozenset(["what", "who", "whether", "it", "its", "whose", "which", "all"])
WEAK_ARGUMENTS = frozenset(["of", "its", "it's", "what", "whose", "whether", "it", "who", "which"])
_WORD = re.compile(r"[A-Za-z']+")
_ARGUMENT = re.compile(r"^\s{4,}\*{0,2}(\w+): (.*)$")


@dataclass(frozen=True)
class Sentence:
    """One sentence of a docstring.

    Attributes:
        place: path and line, as "path:line".
        text: the sentence.
    """

    place: str
    text: str

    @property
    def words(self) -> list[str]:
        """Words in lower case, without what stands in double back-quotes."""
        return [word.lower() for word in _WORD.findall(re.sub(r"``[^`]*``", "", self.text))]

    @property
    def pronouns(self) -> int:
        """Number of pronouns and relatives."""
        return sum(word in PRONOUNS for word in self.words)


@dataclass(frozen=True)
class Figures:
    """Prose of some modules, counted.

    Attributes:
        summaries: first lines of docstrings.
        arguments: lines below ``Args:`` and ``Attributes:``, without the name.
        code_lines: lines with code.
        comments: lines with a comment, licence lines and directives to tools left out.
    """

    summaries: tuple[Sentence, ...]
    arguments: tuple[Sentence, ...]
    code_lines: int
    comments: int

    @property
    def pronoun_share(self) -> float:
        """Share of pronouns and relatives among the words of summaries."""
        return _share(
            sum(s.pronouns for s in self.summaries), sum(len(s.words) for s in self.summaries)
        )

    @property
    def weak_summaries(self) -> list[Sentence]:
        """Summaries that begin with a pronoun instead of a noun or a verb."""
        return [
            each for each in self.summaries if each.words[:1] and each.words[0] in WEAK_OPENINGS
        ]

    @property
    def weak_arguments(self) -> list[Sentence]:
        """Argument lines that begin with of, its, what, whose or whether."""
        return [
            each for each in self.arguments if each.words[:1] and each.words[0] in WEAK_ARGUMENTS
        ]

    @property
    def weak_argument_share(self) -> float:
        """Share of such lines among all argument lines."""
        return _share(len(self.weak_arguments), len(self.arguments))

    @property
    def comment_share(self) -> float:
        """Share of comments among code lines."""
        return _share(self.comments, self.code_lines)


def figures(root: Path) -> Figures:
    """Count the prose below a folder.

    Args:
        root: folder or Python file.

    Returns:
        Figures of all modules below the folder.
    """
    paths = [root] if root.is_file() else sorted(root.rglob("*.py"))
    sources = [(path, path.read_text()) for path in paths]
    docstrings = [each for path, source in sources for each in _docstrings(path, source)]
    return Figures(
        summaries=tuple(Sentence(place, _summary(text)) for place, text in docstrings),
        arguments=tuple(each for place, text in docstrings for each in _arguments(place, text)),
        code_lines=sum(_code_lines(source) for _, source in sources),
        comments=sum(_comments(source) for _, source in sources),
    )


def _docstrings(path: Path, source: str) -> Iterator[tuple[str, str]]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield f"{path}:{getattr(node, 'lineno', 1)}", text


def _summary(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def _arguments(place: str, text: str) -> Iterator[Sentence]:
    section = False
    for line in text.splitlines():
        if not line.startswith(" "):
            section = line.strip() in ("Args:", "Attributes:") or (section and not line.strip())
        elif section and re.match(r"^ {4}\S", line) and (found := _ARGUMENT.match(line)):
            yield Sentence(f"{place} {found[1]}", found[2])


def _code_lines(source: str) -> int:
    tree = ast.parse(source)
    lines = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and not _is_string(node)
        for number in (node.lineno, node.end_lineno or node.lineno)
    }
    blank = {number for number, line in enumerate(source.splitlines(), 1) if not line.strip()}
    inner = {
        number
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return len((lines | inner) - blank)


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _comments(source: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    words = ("# SPDX", "# noqa", "# type:", "# fmt:", "#!", "# nosec")
    return sum(
        token.type == tokenize.COMMENT and not token.string.startswith(words) for token in tokens
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def main(roots: list[str]) -> None:
    """Print figures and the lines to mend.

    Args:
        roots: folders or files.
    """
    for root in roots:
        found = figures(Path(root))
        worst = sorted(found.summaries, key=lambda each: each.pronouns, reverse=True)
        for each in [s for s in worst if s.pronouns > 1]:
            print(f"{each.place}: {each.pronouns} pronouns: {each.text}")
        for each in (*found.weak_summaries, *found.weak_arguments):
            print(f"{each.place}: {each.text}")
        print(
            f"{root}: pronouns {found.pronoun_share:.1%} of summaries' words, "
            f"{len(found.weak_summaries)} of {len(found.summaries)} summaries begin weakly, "
            f"{found.weak_argument_share:.1%} of {len(found.arguments)} argument lines, "
            f"comments {found.comment_share:.1%} of {found.code_lines} code lines"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
