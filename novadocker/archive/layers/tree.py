# SPDX-License-Identifier: Apache-2.0
"""What is remembered of a layer's tree: which names are files, and which are symbolic links."""

from novadocker.archive.fault import Fault, quoted

# Targets that are remembered; a link beyond these cannot be passed through.
_TARGETS = 65536
_LONGEST_CHAIN = 40


class Tree:
    """The names of one layer, as far as later members may refer to them.

    Only their hashes are kept, which Python salts anew in each process: a layer may have a
    million names.
    """

    def __init__(self) -> None:
        self._names: set[int] = set()
        self._directories: set[int] = set()
        self._leading_out: set[int] = set()
        self._targets: dict[int, bytes] = {}
        self._entered = b""

    def add(self, path: bytes) -> None:
        """Note anything that hard links may point to: a file, a FIFO, a device.

        Args:
            path: its name.

        Raises:
            Fault: the layer has it already. Engines refuse that: they could not give the layer
                back as it came.
        """
        name = hash(path)
        if name in self._names:
            raise Fault(f"member {quoted(path)} comes twice")
        self._names.add(name)

    def add_directory(self, path: bytes) -> None:
        """Note a directory."""
        self.add(path)
        self._directories.add(hash(path))

    def add_symlink(self, path: bytes, target: bytes) -> None:
        """Note a symbolic link, wherever it points: what runs in a container has its own root.

        Args:
            path: its name.
            target: as it is written.
        """
        self.add(path)
        climbs = target[:1] == b"/" or b".." in target.split(b"/")
        if climbs or len(self._targets) == _TARGETS:
            self._leading_out.add(hash(path))
        else:
            self._targets[hash(path)] = target

    def add_hard_link(self, path: bytes, target: bytes) -> None:
        """Note a second name.

        Args:
            path: the new one.
            target: the old one.

        Raises:
            Fault: there is no such file before it in this layer.
        """
        if hash(target) not in self._names or hash(target) in self._directories:
            raise Fault(
                f"member {quoted(path)} is a hard link to {quoted(target)}, which is no file "
                "before it in the layer"
            )
        is_symlink = hash(target) in self._leading_out or hash(target) in self._targets
        self.add(path)
        if is_symlink:
            self._leading_out.add(hash(path))

    def enter(self, directory: bytes) -> None:
        """Say which directory the next member lies in.

        Args:
            directory: its path.

        Raises:
            Fault: the way there is by a link of this layer that may lead out of it.
        """
        if directory == self._entered:
            return
        if self._leading_out or self._targets:
            self._walk(directory)
        self._entered = directory

    def _walk(self, directory: bytes) -> None:
        passed = 0
        at = 0
        while at <= len(directory):
            end = directory.find(b"/", at)
            end = len(directory) if end < 0 else end
            step = directory[:end]
            if hash(step) in self._leading_out or passed == _LONGEST_CHAIN:
                raise Fault(
                    f"what is in {quoted(directory)} lies behind the symbolic link {quoted(step)} "
                    "of the same layer"
                )
            at = end + 1
            if (target := self._targets.get(hash(step))) is not None:
                passed += 1
                directory = _normal(step.rpartition(b"/")[0], target, directory[at:])
                at = 0


def _normal(*paths: bytes) -> bytes:
    parts = (part for path in paths for part in path.split(b"/"))
    return b"/".join(part for part in parts if part not in {b"", b"."})
