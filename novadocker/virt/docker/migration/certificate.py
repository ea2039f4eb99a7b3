# SPDX-License-Identifier: Apache-2.0
"""Throw-away certificate of one transfer."""

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "novadocker-transfer"
LIFETIME = timedelta(days=1)
# Clocks of hosts differ, and a certificate of the future is refused.
EARLIER = timedelta(hours=1)


def server_context() -> tuple[ssl.SSLContext, str]:
    """Make a key and a certificate for the listening end.

    Returns:
        The TLS context, and the certificate in PEM for the other end.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # A ticket that the other end never reads makes its kernel reset the connection when it ends,
    # and what was on its way is lost.
    context.num_tickets = 0
    with _file_of(secret + pem) as chain:  # OpenSSL reads a chain from files only
        context.load_cert_chain(chain)
    return context, pem.decode()


def client_context(pem: str) -> ssl.SSLContext:
    """Trust one certificate and no other.

    Args:
        pem: the certificate of the other end, as it came over Nova's bus.

    Returns:
        The TLS context of the end that connects.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=pem)
    return context


def _signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


@contextlib.contextmanager
def _file_of(content: bytes) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(prefix="novadocker-") as file:  # open to its owner alone
        file.write(content)
        file.flush()
        yield Path(file.name)
