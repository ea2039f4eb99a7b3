# SPDX-License-Identifier: Apache-2.0
"""Switch, and processes in the place of containers."""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import tenacity
from nova.network import model

from novadocker.virt.docker.privileged import namespace
from novadocker.virt.docker.wiring import Wiring
from novadocker.virt.docker.wiring.plan import Plan, make_plan
from novadocker.virt.docker.wiring.wire import Wired

CLONE_NEWNET = 0x40000000
# The user-space datapath works on every kernel; one with Open vSwitch's module has "system" too.
DATAPATH = os.environ.get("NOVADOCKER_TEST_DATAPATH", "netdev")


LIBC = ctypes.CDLL(None, use_errno=True)


VIF_TYPES = ("ovs", "vrouter", "tap")


SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"


eventually = tenacity.retry(
    stop=tenacity.stop_after_delay(10), wait=tenacity.wait_fixed(0.05), reraise=True
)


def run(*command: str | Path) -> str:
    """Run a program and return the output."""
    words = [str(word) for word in command]
    program = shutil.which(words[0], path=SBIN)
    assert program, f"{words[0]} is not installed"
    done = subprocess.run(
        [program, *words[1:]], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


class Switch:
    """Open vSwitch, all files below one directory."""

    def __init__(self, directory: Path) -> None:
        self.database = f"unix:{directory}/db.sock"
        self._directory = directory
        schema = "/usr/share/openvswitch/vswitch.ovsschema"
        run("ovsdb-tool", "create", directory / "conf.db", schema)

    def start(self, stack: ExitStack) -> None:
        """Start both daemons, to end with the stack."""
        where = self._directory
        self._daemon(stack, "ovsdb-server", where / "conf.db", f"--remote=punix:{where}/db.sock")
        eventually(lambda: self.ask("--timeout=5", "--no-wait", "init"))()
        self._daemon(stack, "ovs-vswitchd", self.database)
        bridge = ("br-int", "--", "set", "bridge", "br-int", f"datapath_type={DATAPATH}")
        self.ask("--timeout=20", "add-br", *bridge)

    def ask(self, *words: str) -> str:
        """Ask ``ovs-vsctl``."""
        return run("ovs-vsctl", f"--db={self.database}", *words)

    def ports(self) -> list[str]:
        """Name the ports of the integration bridge."""
        return self.ask("list-ports", "br-int").split()

    def _daemon(self, stack: ExitStack, program: str, *words: str | Path) -> None:
        where = self._directory
        path = shutil.which(program, path=SBIN)
        assert path, f"{program} is not installed"
        log = stack.enter_context((where / f"{program}.log").open("wb"))
        control = f"--unixctl={where}/{program}.ctl"
        command = [path, *map(str, words), control, f"--pidfile={where}/{program}.pid"]
        env = os.environ | {"OVS_RUNDIR": str(where), "OVS_LOGDIR": str(where)}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env)

        def stop() -> None:
            process.terminate()
            process.wait(timeout=20)

        stack.callback(stop)


@dataclass
class Server:
    """Stand-in for a container, with ports."""

    process: subprocess.Popen[bytes]
    instance: Any
    network_info: list[model.VIF]

    @property
    def plan(self) -> Plan:
        """Plan of the server's network."""
        return make_plan(
            self.network_info, vif_types=VIF_TYPES, hostname="server", domain="example.org"
        )

    def wire(self, wiring: Wiring) -> Wired:
        """Wire the server."""
        return wiring.ensure_wired(self.instance, self.network_info, self.plan, self.process.pid)

    def unwire(self, wiring: Wiring) -> None:
        """Take all ports away."""
        wiring.unwire(self.instance, self.network_info)

    def restart(self) -> None:
        """End the process with the namespace, and start another."""
        self.end()
        self.process = sleeping()

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()

    def inside(self, work: Callable[..., Any], *args: Any) -> Any:
        """Call a function in the network namespace."""
        with namespace.held(self.process.pid, "") as target:
            return namespace.inside(target, work, *args)

    def ip(self, *words: str) -> Any:
        """Ask ``ip`` in the network namespace."""
        out = run("nsenter", f"--net=/proc/{self.process.pid}/ns/net", "ip", "-j", *words)
        return json.loads(out or "[]")

    def state(self) -> dict[str, Any]:
        """Describe the network by ``ip``."""
        links = {link["ifname"]: link for link in self.ip("address")}
        routes = [*self.ip("-4", "route"), *self.ip("-6", "route")]
        return {
            "links": {
                name: (link["address"], link["mtu"], "UP" in link["flags"])
                for name, link in links.items()
            },
            "addresses": {
                (name, f"{address['local']}/{address['prefixlen']}", address["scope"])
                for name, link in links.items()
                for address in link["addr_info"]
            },
            "routes": {(r["dst"], r.get("gateway"), r["dev"], *r["flags"]) for r in routes},
        }


@eventually
def wait_for(process: subprocess.Popen[bytes], name: str) -> None:
    """Wait until a process has executed the last program."""
    assert Path(f"/proc/{process.pid}/comm").read_text() == f"{name}\n"


def sleeping() -> subprocess.Popen[bytes]:
    """Start a process in namespaces of its own, with users mapped away from the host's."""
    become_root = "read go; exec setpriv --reuid 0 --regid 0 --clear-groups sleep infinity"
    command = ["/usr/bin/unshare", "--user", "--net", "--keep-caps", "sh", "-c", become_root]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin
    with process.stdin as go:
        wait_for(process, "sh")
        for ids in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{ids}").write_text("0 100000 65536")
        go.write(b"\n")
    wait_for(process, "sleep")
    return process


def a_vif(number: int, vif_type: str = "ovs", nic: int = 0, **details: Any) -> model.VIF:
    """Make a port in Nova's form: IPv4 and IPv6, a host route, the metadata's route."""
    port = str(uuid.uuid4())
    v4 = model.Subnet(
        cidr=f"10.{nic}.0.0/24",
        gateway=model.IP(address=f"10.{nic}.0.1", type="gateway"),
        ips=[model.FixedIP(address=f"10.{nic}.0.{number}")],
        routes=[
            model.Route(cidr=f"192.168.{nic}.0/24", gateway=model.IP(address=f"10.{nic}.0.254"))
        ],
    )
    v6 = model.Subnet(
        cidr=f"fd00:{nic}::/64",
        gateway=model.IP(address=f"fd00:{nic}::1", type="gateway"),
        ips=[model.FixedIP(address=f"fd00:{nic}::{number}")],
    )
    return model.VIF(
        id=port,
        address=f"fa:16:3e:00:{nic:02x}:{number:02x}",
        network=model.Network(
            id=str(uuid.uuid4()), bridge="br-int", label="net", subnets=[v4, v6], mtu=1442
        ),
        type=vif_type,
        details={"datapath_type": DATAPATH, "bound_drivers": {"0": "ovn"}, **details},
        devname=f"tap{port}"[:14],
        delegate_create=True,
        ovs_interfaceid=port,
    )


def an_instance(name: str = "web") -> Any:
    """Make an instance with the fields used by os-vif and the wiring."""
    return SimpleNamespace(
        uuid=str(uuid.uuid4()),
        name="instance",
        display_name=name,
        project_id=uuid.uuid4().hex,
        obj_attr_is_set=lambda _: False,
    )


def talk(one: Server, other: Server, address: str) -> None:
    """Send several segments by TCP from a server to an address of another."""
    sent = os.urandom(200_000)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with one.inside(lambda: socket.create_server((address, 0), family=family)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]
        with other.inside(socket.create_connection, (address, port), 10) as client:
            conversation, _ = listener.accept()
            with conversation:
                conversation.settimeout(10)
                # Beside the reading: a small machine's buffers do not hold all of it.
                sending = threading.Thread(target=conversation.sendall, args=(sent,))
                sending.start()
                got = b""
                while len(got) < len(sent) and (part := client.recv(65536)):
                    got += part
                sending.join()
    assert got == sent
