# SPDX-License-Identifier: Apache-2.0
"""Archives of another kind than a saved image, recognised by their members."""

from collections.abc import Collection

_SAVE = "'docker save IMAGE -o FILE' makes one that is accepted"
# First bytes of files that have been uploaded for an image.
_BEGINNINGS = {
    b"\xff\xfe": "it is text in UTF-16, as PowerShell's '>' makes of any output; use "
    "'docker save -o FILE IMAGE'",
    b"\xfe\xff": "it is text in UTF-16; use 'docker save -o FILE IMAGE'",
    b"PK\x03\x04": f"it is a ZIP file; {_SAVE}",
    b"QFI\xfb": f"it is a disk of a virtual machine (qcow2); {_SAVE}",
    b"\x7fELF": f"it is a program; {_SAVE}",
    b"{": f"it is JSON; {_SAVE}",
    b"<": f"it is a page of the web, or XML; {_SAVE}",
    b"#": f"it is a script or a Dockerfile; build it first, then {_SAVE}",
    b"FROM ": f"it is a Dockerfile; build it first, then {_SAVE}",
}
_ROOTS = {"bin", "dev", "etc", "home", "lib", "proc", "root", "sbin", "sys", "tmp", "usr", "var"}
_FEW_ROOTS = 2
_MANIFESTS = ("manifest.json", "index.json", "oci-layout")


def by_beginning(head: bytes) -> str:
    """Return a sentence on a file that is no tar archive; empty where nothing is known.

    Args:
        head: first bytes of the file.
    """
    return next((said for magic, said in _BEGINNINGS.items() if head.startswith(magic)), "")


def by_names(names: Collection[str]) -> str:
    """Return a sentence on a whole tar archive without an image; empty where nothing is known.

    Args:
        names: the members' paths.
    """
    if any(name in names for name in _MANIFESTS):
        return ""
    folders = {name.partition("/")[0] for name in names}
    if any(f"{folder}/{name}" in names for folder in folders for name in _MANIFESTS[:2]):
        return (
            f"it holds an image in the folder {min(folders)!r}, packed one level too high; "
            "'tar -C FOLDER -cf FILE .' packs what is in the folder"
        )
    if "repositories" in names or any(name.endswith("/json") for name in names):
        return (
            "it was saved by a Docker before 1.10; load it into a newer one, which "
            "'docker save' then makes an image of"
        )
    return by_folders(names)


def by_folders(names: Collection[str]) -> str:
    """Return a sentence on the beginning of a file system; empty where nothing is known.

    Args:
        names: paths of the members so far.
    """
    folders = {name.partition("/")[0] for name in names}
    if len(folders & _ROOTS) < _FEW_ROOTS:
        return ""
    return (
        "it is a file system, as 'docker export' writes it, or one layer by itself; "
        f"'docker import FILE NAME' makes an image of it, and {_SAVE}"
    )
