# SPDX-License-Identifier: Apache-2.0
"""System calls for mounts, missing in Python.

Numbers above 424 are the same on every architecture of Linux.
"""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_MOVE_MOUNT, _FS_OPEN, _FS_CONFIG, _FS_MOUNT = 429, 430, 431, 432
_OPEN_AT2, _MOUNT_SETATTR = 437, 442
_EMPTY_PATH = 0x1000
_CLOSE_ON_EXEC = 1
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_FROM_EMPTY_TO_EMPTY = 0x44
_NO_FOLLOW = 8
_LONGEST_MESSAGE = 4096

READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, ID_MAP = 0x1, 0x2, 0x4, 0x8, 0x100000
IN_ROOT, NO_MAGIC_LINKS, NO_LINKS = 0x10, 0x2, 0x4


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def open_directory(root: int, path: str, resolve: int) -> int:
    """Open a directory as a place, by ``openat2``.

    Args:
        root: descriptor of the directory that the path begins at.
        path: relative or absolute.
        resolve: bits such as ``IN_ROOT``.

    Returns:
        A descriptor, of no use but to name the directory.
    """
    how = _How(os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, 0, resolve)
    return _call(_OPEN_AT2, root, path.encode(), ctypes.byref(how), ctypes.sizeof(how))


def mount_of(kind: str, device: str, options: tuple[str, ...], attributes: int) -> int:
    """Mount a device nowhere, by ``fsopen`` and ``fsmount``.

    Args:
        kind: name of the file system's driver, such as "ext4".
        device: path of the block device.
        options: words for the file system, ``name`` or ``name=value``.
        attributes: bits for the mount, such as ``NO_DEV``.

    Returns:
        A descriptor of the mount, which ends with it unless it is moved somewhere.
    """
    context = _call(_FS_OPEN, kind.encode(), _CLOSE_ON_EXEC)
    try:
        _configure(context, _SET_STRING, "source", device)
        for option in options:
            name, _, value = option.partition("=")
            _configure(context, _SET_STRING if value else _SET_FLAG, name, value)
        _configure(context, _CREATE)
        return _call(_FS_MOUNT, context, _CLOSE_ON_EXEC, attributes)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}{_message(context)}") from error
    finally:
        os.close(context)


def map_users(mount: int, user_namespace: int) -> None:
    """Let ids on a file system be those of a user namespace.

    Args:
        mount: descriptor of a mount that was never anywhere.
        user_namespace: descriptor of the namespace.
    """
    wanted = _MountAttributes(ID_MAP, 0, 0, user_namespace)
    _call(_MOUNT_SETATTR, mount, b"", _EMPTY_PATH, ctypes.byref(wanted), ctypes.sizeof(wanted))


def move(mount: int, directory: int) -> None:
    """Put a mount over a directory.

    Args:
        mount: descriptor of the mount.
        directory: descriptor of the directory.
    """
    _call(_MOVE_MOUNT, mount, b"", directory, b"", _FROM_EMPTY_TO_EMPTY)


def unmount(name: str) -> None:
    """Unmount; never lazily, and never through a link.

    Args:
        name: below the working directory.
    """
    _checked(_LIBC.umount2(name.encode(), _NO_FOLLOW))


def synchronize(directory: int) -> None:
    """Write a file system's data to its device.

    Args:
        directory: descriptor of any file in there.
    """
    _checked(_LIBC.syncfs(directory))


def act_on_files_as(user: int, group: int) -> None:
    """Make files as somebody else, in this thread alone.

    Args:
        user: id on the host.
        group: id on the host.
    """
    _LIBC.setfsgid(group)
    _LIBC.setfsuid(user)


def _configure(context: int, command: int, name: str = "", value: str = "") -> None:
    _call(
        _FS_CONFIG,
        context,
        command,
        name.encode() if name else None,
        value.encode() if value else None,
        0,
    )


def _message(context: int) -> str:
    """Return the kernel's reason against a mount."""
    try:
        text = os.read(context, _LONGEST_MESSAGE).decode(errors="replace")
    except OSError:  # it says nothing
        return ""
    return f" ({text.strip()})"


def _call(number: int, *arguments: object) -> int:
    converted = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    return _checked(_LIBC.syscall(ctypes.c_long(number), *converted))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
