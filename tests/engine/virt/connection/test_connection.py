# SPDX-License-Identifier: Apache-2.0
"""The engine by TCP with TLS, and engines that are refused."""

import datetime as dt
import gc
import http.server
import ipaddress
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.cloud.underlay import engine as own
from novadocker.errors import EngineUnavailable, EngineUnsuitable
from novadocker.virt.docker.engine import Connection, Engine
from novadocker.virt.docker.host import suitability

# The SDK leaves sockets that could not connect to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in BUNDLES:
        monkeypatch.delenv(name, raising=False)
    yield
    gc.collect()


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, directory: Path, name: str) -> None:
        """Make it; its certificates are below a directory."""
        self._directory, self._name = directory, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._write(name, self._key, self._sign(name, self._key, ca=True))[0]

    def issue(self, name: str) -> tuple[str, str]:
        """Return paths of a certificate for 127.0.0.1 and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(f"{self._name}-{name}", key, self._sign(name, key, ca=False))

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        loopback = x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _write(
        self, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> tuple[str, str]:
        paths = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(paths[0]), str(paths[1])


@dataclass
class Remote:
    """An engine that listens by TLS, and has no user namespaces."""

    connection: Connection
    ours: Authority
    others: Authority


def start(stack: ExitStack, argv: list[str], log: Path, socket_: Path) -> None:
    """Start a daemon and wait for its socket."""
    process = subprocess.Popen(argv, stdout=stack.enter_context(log.open("wb")), stderr=-2)
    stack.callback(process.wait, timeout=10)
    stack.callback(process.terminate)
    deadline = time.monotonic() + 30
    while not socket_.exists():
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    """Run one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    root = Path(tempfile.mkdtemp(prefix="nd-", dir="/var/tmp"))
    root.chmod(0o711)
    paths = EnginePaths(root / "data", root / "run")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        stack.callback(own.sweep, paths)
        own.prepare(paths)
        ours, others = Authority(root, "ours"), Authority(root, "others")
        certificate, key = ours.issue("engine")
        containerd, dockerd = own.commands(paths)
        without_userns = [word for word in dockerd.argv if "userns" not in word]
        tls = ["--tlsverify", f"--tlscacert={ours.certificate}", f"--tlscert={certificate}"]
        tcp = [*tls, f"--tlskey={key}", f"--host=tcp://127.0.0.1:{port}"]
        start(stack, list(containerd.argv), root / "c.log", paths.containerd_socket)
        start(stack, [*without_userns, *tcp], root / "d.log", paths.socket)
        client = ours.issue("client")
        connection = Connection(
            f"tcp://127.0.0.1:{port}",
            timeout=10,
            ca_file=ours.certificate,
            cert_file=client[0],
            key_file=client[1],
        )
        yield Remote(connection, ours, others)


def test_a_client_with_a_certificate_is_served(remote: Remote) -> None:
    """By TCP everything is as by the socket."""
    engine = Engine(remote.connection)
    assert engine.info().cpus > 0
    engine._api.close()


def test_a_client_without_a_certificate_is_refused(remote: Remote) -> None:
    """The engine asks for one, whoever calls."""
    with pytest.raises(EngineUnavailable, match="certificate"):
        Engine(replace(remote.connection, cert_file=None, key_file=None)).info()


def test_a_client_with_a_foreign_certificate_is_refused(remote: Remote) -> None:
    """It has to be of the authority that the engine trusts."""
    certificate, key = remote.others.issue("client")
    with pytest.raises(EngineUnavailable):
        Engine(replace(remote.connection, cert_file=certificate, key_file=key)).info()


def test_an_engine_of_another_authority_is_refused(remote: Remote) -> None:
    """Verification is on; the message says what failed."""
    foreign = replace(remote.connection, ca_file=remote.others.certificate)
    with pytest.raises(EngineUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        Engine(foreign).info()


def test_an_engine_outside_every_authority_is_refused(remote: Remote) -> None:
    """Without a CA file the system's authorities count, not everybody."""
    with pytest.raises(EngineUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        Engine(replace(remote.connection, ca_file=None)).info()


def test_verification_can_be_given_up(remote: Remote) -> None:
    """``api_insecure`` takes any engine; the engine still asks for our certificate."""
    foreign = replace(remote.connection, ca_file=remote.others.certificate, insecure=True)
    engine = Engine(foreign)
    assert engine.info().cpus > 0
    engine._api.close()


@pytest.mark.parametrize("name", BUNDLES)
def test_the_environments_authorities_are_not_the_engines(
    remote: Remote, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A host may have such a variable for its OpenStack APIs; ``ca_file`` is for the engine."""
    monkeypatch.setenv(name, remote.others.certificate)
    engine = Engine(remote.connection)
    assert engine.info().cpus > 0
    engine._api.close()


def test_an_engine_without_user_namespaces_is_refused(remote: Remote) -> None:
    """The message says how to start it; an operator may accept it."""
    engine = Engine(remote.connection)
    with pytest.raises(EngineUnsuitable, match="--userns-remap=default"):
        suitability.check(engine, require_userns=True)
    assert suitability.check(engine, require_userns=False).cpus > 0
    engine._api.close()


class OldEngine(http.server.BaseHTTPRequestHandler):
    """Answers as Docker 19.03 did, as far as a check goes."""

    version = {"ApiVersion": "1.40", "MinAPIVersion": "1.12", "Components": []}  # noqa: RUF012
    info = {  # noqa: RUF012
        "NCPU": 1,
        "MemTotal": 1,
        "Architecture": "x86_64",
        "Driver": "overlay2",
        "DockerRootDir": "/",
    }

    def do_GET(self) -> None:
        """Answer one of the two questions."""
        answer: dict[str, Any] = self.info if self.path.endswith("/info") else self.version
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


class UnixServer(http.server.ThreadingHTTPServer):
    """On a Unix socket."""

    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        """Bind without asking for a host's name."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "engine", 0


@pytest.fixture
def old_engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine that is too old for us."""
    path = tmp_path / "old.sock"
    with UnixServer(str(path), OldEngine) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        engine = Engine(Connection(f"unix://{path}", timeout=5))
        yield engine
        engine._api.close()
        server.shutdown()
        thread.join()


def test_an_engine_that_is_too_old_is_refused(old_engine: Engine) -> None:
    """Before anything is asked of it that it cannot do."""
    with pytest.raises(EngineUnsuitable, match=r"API 1\.40 and 1\.41 is needed; upgrade it"):
        suitability.check(old_engine, require_userns=True)
