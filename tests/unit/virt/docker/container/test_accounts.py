# SPDX-License-Identifier: Apache-2.0
import time

import pytest
from passlib.hash import sha512_crypt

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.container.accounts import (
    ROOT,
    Home,
    Login,
    home_of,
    owner_of,
)

SHADOW = "root:*:19000:0:99999:7:::\nweb:!:19000:0:99999:7:::\n"


@pytest.mark.parametrize(
    ("line", "home"),
    [
        ("web:x:1000:1001::/srv/web:/bin/sh", Home("srv/web", 1000, 1001)),
        ("www:x:web:1001::/srv/web:/bin/sh", None),
        ("web:x:one:1001::/srv/web:/bin/sh", None),
        ("web:x:1000:70000::/srv/web:/bin/sh", None),
        ("web:x:1000:1001::/:/bin/sh", None),
        ("web:x:1000:1001::/srv/../../etc:/bin/sh", None),
        ("web:x:1000:1001::/srv/web", None),
        ("other:x:1:1::/o:/bin/sh", None),
    ],
)
def test_a_home_is_believed_only_where_a_key_can_go(line: str, home: Home | None) -> None:
    """The file is the tenant's: an odd line is no home."""
    assert home_of("web", f"root:x:0:0::/root:/bin/sh\n{line}\n") == home


@pytest.mark.parametrize("user", ["", "0", "root"])
@pytest.mark.parametrize("line", ["", "root:x:0:0::/:/bin/sh\n", "root:x:zero:0::/r:/bin/sh\n"])
def test_the_home_of_root_needs_no_line(user: str, line: str) -> None:
    """Root has /root in an image without users, or with an odd line for root."""
    assert home_of(user, line) == ROOT


@pytest.mark.parametrize("user", ["", "0", "root"])
def test_root_has_the_home_that_the_image_says(user: str) -> None:
    """Images of ostree keep root's home below /var."""
    assert home_of(user, "root:x:0:0::/var/roothome:/bin/sh\n") == Home("var/roothome", 0, 0)


@pytest.mark.parametrize(
    ("user", "uid"), [("web", 1000), ("1000", 1000), ("4711", 4711), ("99999", 0), ("nobody", 0)]
)
def test_what_a_user_is_to_write_belongs_to_it(user: str, uid: int) -> None:
    """A number is an owner without a line; an id beyond a container's means root."""
    assert owner_of(user, "web:x:1000:1001::/srv/web:/bin/sh\n").uid == uid


def test_a_password_is_set_for_its_user_alone() -> None:
    """The hash verifies, today is the day of the change, and all else stays."""
    shadow = Login.of("web", "geheim ü").write_to_shadow(SHADOW)
    assert shadow
    first, second, end = shadow.split("\n")
    assert (f"{first}\n", end) == (SHADOW.splitlines(keepends=True)[0], "")
    name, hashed, day, *others = second.split(":")
    assert (name, others) == ("web", ["0", "99999", "7", "", "", ""])
    assert abs(int(day) - time.time() // 86400) <= 1
    assert sha512_crypt.verify("geheim ü", hashed)


@pytest.mark.parametrize(
    "shadow", ["", "root\n", "webb:!:1:0:99999:7:::\n", "web:!:1\n", "#web:\n"]
)
def test_a_user_that_is_not_there_gets_no_password(shadow: str) -> None:
    """No user is made, and no line is mended."""
    assert Login.of("web", "secret").write_to_shadow(shadow) is None


@pytest.mark.parametrize("user", ["", "a:b", "a\nroot", "-e", "a b", "ü", "../root"])
def test_what_is_no_users_name_is_refused(user: str) -> None:
    """Such a name would change lines of other users."""
    with pytest.raises(PolicyRefused, match="os_admin_user"):
        Login.of(user, "secret")


@pytest.mark.parametrize("password", ["a\0b", "x" * 5000])
def test_a_password_that_cannot_be_hashed_is_refused_unseen(password: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(PolicyRefused, match="admin password") as refused:
        Login.of("root", password)
    assert password not in str(refused.value)
