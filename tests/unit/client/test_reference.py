# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.client import reference


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("web", "web:latest"),
        ("web:1.2", "web:1.2"),
        ("registry.example:5000/team/web", "registry.example:5000/team/web:latest"),
        ("My web server (old)", "my-web-server-old:latest"),
        ("UPPER", "upper:latest"),
        ("-web-", "web:latest"),
        ("ünïcode", "n-code:latest"),
        ("日本", "0f5c:latest"),
        ("a/b/", "a-b:latest"),
        ("web:", "web:latest"),
        ("x" * 300, "x" * 200 + ":latest"),
    ],
)
def test_any_name_of_glance_becomes_one_of_docker(name: str, made: str) -> None:
    """What Docker would refuse is replaced; the result is always one that it takes."""
    assert reference.of_name(name, "0f5c") == made
    assert reference.is_sound(made) or len(made) > 200
