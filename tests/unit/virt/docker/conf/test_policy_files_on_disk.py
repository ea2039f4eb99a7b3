# SPDX-License-Identifier: Apache-2.0
"""What an operator copies from etc/."""

import re
from pathlib import Path

import pytest
from oslo_config import cfg
from oslo_rootwrap import wrapper

from novadocker.virt.docker.conf import options as conf
from novadocker.virt.docker.privileged import context as daemon

ETC = Path(__file__).parents[5] / "etc" / "nova"
SOCKET = "/tmp/tmpab12/privsep.sock"


def helper(context: str, *more: str) -> list[str]:
    """Return the command by which oslo.privsep starts a daemon."""
    start = ["privsep-helper", "--config-file", "/etc/nova/nova.conf"]
    return [*start, "--privsep_context", context, "--privsep_sock_path", SOCKET, *more]


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (helper(daemon.context.pypath), True),
        (helper("vif_plug_ovs.privsep.vif_plug"), True),
        (helper("os.system"), False),
        (helper("novadockerXvirt.docker.privileged.context.context"), False),
        (helper(daemon.context.pypath, "--more"), False),
        (["sh", "-c", "id"], False),
    ],
)
def test_rootwrap_starts_our_daemons_and_nothing_else(command: list[str], allowed: bool) -> None:
    """The filters know the privileged context by the name that it has in the code."""
    *filters, every_privsep_helper = wrapper.load_filters([str(ETC / "rootwrap.d")])
    assert every_privsep_helper.name == "privsep-helper"  # rootwrap's own, of late
    assert any(each.match(command) for each in filters) is allowed


@pytest.mark.parametrize("everything", [False, True])
def test_the_sample_configuration_loads(tmp_path: Path, everything: bool) -> None:
    """As it is, and with every option that it only shows."""
    text = (ETC / "nova.conf.docker").read_text()
    if everything:
        text = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    path = tmp_path / "nova.conf"
    path.write_text(text)
    options = cfg.ConfigOpts()
    conf.register(options)
    options(["--config-file", str(path)])
    named = re.search(r"\[docker\](.*?)\n\[", text, re.DOTALL)
    assert named
    known = {option.name for option in conf.OPTIONS}
    assert set(re.findall(r"^(\w+) = ", named.group(1), re.MULTILINE)) <= known
    assert options.docker.host_url.startswith("tcp:" if everything else "unix:")
    conf.refuse_unusable(options)
