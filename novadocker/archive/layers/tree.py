# SPDX-License-Identifier: Apache-2.0
"""Names of a layer in an engine's file system, as far as later members refer to them."""

from novadocker.archive.budget import Budget
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.layers.names import Names

# Kinds of names, which fit into three bits; the fourth says that a member has the name.
_DIRECTORY, _FILE, _LINK, _LINK_OUT, _HIDDEN = range(1, 6)
_KIND, _NAMED = 7, 8
# Hard links may point to these.
_TARGETS = frozenset({_FILE | _NAMED, _LINK | _NAMED, _LINK_OUT | _NAMED})
_ROOT = 0
_LONGEST_CHAIN = 40
# Links that are remembered, and bytes of their targets; further ones cannot be passed through.
_MOST_LINKS, _MOST_TARGET_BYTES = 65536, 4 * 1024 * 1024
# Directories whose place is remembered, and bytes of their paths.
_MOST_PLACES, _MOST_PLACE_BYTES = 4096, 2 * 1024 * 1024

# A directory's key by the path as it is written, and by where links lead it.
_Place = tuple[int, int]


class Tree:
    """Names of one layer, kept as hashes.

    A name's key is made of its directory's key and its last part, so that the way to a member
    costs what its own path is long, however deep it lies and however many links are passed.

    Args:
        budget: allowance of the image.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._names = Names()
        self._links: dict[int, bytes] = {}
        self._target_bytes = 0
        self._places: dict[bytes, _Place] = {}
        self._place_bytes = 0
        self._entered = b""
        self._literal = self._real = _ROOT

    def add(self, path: bytes, kind: int = _FILE) -> int:
        """Note a member: by default a file, FIFO or device, fit for hard links.

        Args:
            path: the member's name.
            kind: one of the kinds above.

        Returns:
            The name's key, where links lead to.

        Raises:
            Fault: the layer has it already, or the way there leads through a link out of it.
        """
        cut = path.rfind(b"/")
        directory = path[:cut] if cut > 0 else b""
        if directory != self._entered:
            self._enter(directory)
        name = path[cut + 1 :]
        key = hash((self._real, name))
        if self._literal != self._real:
            self._add_through_link(path, key, kind)
        elif had := self._names.put(key, kind | _NAMED):
            self._replace(path, had, kind)
        return key

    def add_directory(self, path: bytes) -> None:
        """Note a directory."""
        self.add(path, _DIRECTORY)

    def add_symlink(self, path: bytes, target: bytes) -> None:
        """Note a symbolic link to any target: programs in a container have their own root.

        Args:
            path: name of the member.
            target: as it is written.
        """
        climbs = target[:1] == b"/" or b".." in target.split(b"/")
        size = self._target_bytes + len(target)
        if climbs or len(self._links) == _MOST_LINKS or size > _MOST_TARGET_BYTES:
            self.add(path, _LINK_OUT)
            return
        self._target_bytes = size
        self._links[self.add(path, _LINK)] = target

    def add_hard_link(self, path: bytes, target: bytes) -> None:
        """Note a second name.

        Args:
            path: the new one.
            target: the old one.

        Raises:
            Fault: there is no such file before it in this layer.
        """
        kind = self._names.get(self._key(target))
        if kind not in _TARGETS:
            raise Fault(
                f"member {quoted(path)} is a hard link to {quoted(target)}, which is no file "
                "before it in the layer"
            )
        self.add(path, _FILE if kind == _FILE | _NAMED else _LINK_OUT)

    def hide(self, path: bytes) -> None:
        """Note a whiteout of a name.

        Engines put a device in its place, below which nothing can lie until a directory of that
        name comes.

        Args:
            path: the name that the whiteout hides.

        Raises:
            Fault: the layer has brought it before.
        """
        self._enter(path[: max(path.rfind(b"/"), 0)])
        key = hash((self._real, path[path.rfind(b"/") + 1 :]))
        if self._names.put(key, _HIDDEN):
            raise Fault(f"member {quoted(path)} is hidden by a whiteout of the same layer")
        self._budget.spend_entry()

    def _add_through_link(self, path: bytes, key: int, kind: int) -> None:
        # The name as it is written counts among those that come twice, and for hard links;
        # where the link leads to, the member takes the place of another.
        literal = hash((self._literal, path[path.rfind(b"/") + 1 :]))
        if self._names.put(literal, (_LINK_OUT if kind == _LINK else kind) | _NAMED) & _NAMED:
            raise Fault(_comes_twice(path))
        had = self._names.get(key)
        if had:
            self._replace(path, had & _KIND, kind)
        self._names.put(key, kind | had & _NAMED)

    def _replace(self, path: bytes, had: int, kind: int) -> None:
        if had & _NAMED:
            raise Fault(_comes_twice(path))
        if had == _DIRECTORY:
            if kind != _DIRECTORY:
                raise Fault(f"member {quoted(path)} is no directory, and others lie below it")
        elif had != _HIDDEN:
            # A way that is remembered may have led through what was here.
            self._places.clear()
            self._place_bytes = 0
            self._entered = b""
            self._literal = self._real = _ROOT

    def _key(self, path: bytes) -> int:
        directory, _, name = path.rpartition(b"/")
        place = self._places.get(directory)
        literal = place[0] if place else _ROOT
        if place is None and directory:
            parts = directory.split(b"/")
            self._budget.spend_steps(len(parts))
            for part in parts:
                literal = hash((literal, part))
        return hash((literal, name))

    def _enter(self, directory: bytes) -> None:
        place = self._places.get(directory) if directory else (_ROOT, _ROOT)
        if place is None:
            place = self._walk(directory)
            self._remember(directory, place)
        self._entered = directory
        self._literal, self._real = place

    def _remember(self, directory: bytes, place: _Place) -> None:
        self._place_bytes += len(directory)
        if len(self._places) == _MOST_PLACES or self._place_bytes > _MOST_PLACE_BYTES:
            self._places.clear()
            self._place_bytes = len(directory)
        self._places[directory] = place

    def _walk(self, directory: bytes) -> _Place:
        """Find a directory's place, from the parent's place where remembered.

        What was walked through stays a directory, since nothing may take its place: so what is
        remembered stays true.
        """
        parent, _, name = directory.rpartition(b"/")
        place = self._places.get(parent)
        literal, real = place or (_ROOT, _ROOT)
        parts = [name] if place else directory.split(b"/")
        self._budget.spend_steps(len(parts))
        for part in parts:
            step = hash((real, part))
            literal = step if literal == real else hash((literal, part))
            kind = self._names.get(step) & _KIND
            if kind == _DIRECTORY:
                real = step
            elif kind:
                real = self._follow(real, part, directory)
            else:
                self._budget.spend_entry()
                self._names.put(step, _DIRECTORY)
                real = step
        return literal, real

    def _follow(self, real: int, name: bytes, directory: bytes) -> int:
        """Return where a name leads that is not known for a directory."""
        passed = 0
        left = [name]
        while left:
            part = left.pop()
            step = hash((real, part))
            kind = self._names.get(step) & _KIND
            if kind == _DIRECTORY:
                real = step
                continue
            if kind == _LINK and passed < _LONGEST_CHAIN:
                passed += 1
                parts = [each for each in self._links[step].split(b"/") if each not in {b"", b"."}]
                self._budget.spend_steps(len(parts) + 1)
                left += reversed(parts)
                continue
            raise Fault(_unreachable(directory, part, kind))
        return real


def _comes_twice(path: bytes) -> str:
    # Engines refuse that: they could not give the layer back as it came.
    return f"member {quoted(path)} comes twice"


def _unreachable(directory: bytes, part: bytes, kind: int) -> str:
    if not kind:
        return (
            f"what is in {quoted(directory)} lies behind a symbolic link to {quoted(part)}, which "
            "is not before it in the same layer"
        )
    if kind in {_LINK, _LINK_OUT}:
        return (
            f"what is in {quoted(directory)} lies behind the symbolic link {quoted(part)} of the "
            "same layer"
        )
    what = "a whiteout" if kind == _HIDDEN else "no directory"
    return f"what is in {quoted(directory)} lies below {quoted(part)}, {what} in the same layer"
