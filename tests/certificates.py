"""Makes a certificate authority, and certificates for a server on this machine and for a client."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

KEY_PASSWORD = "sesame-of-the-key"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM. `client_locked_key` is the client's key under KEY_PASSWORD."""

    ca: Path
    other_ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    client_locked_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make all of them with openssl, valid for one day. Skips the test where there is none."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not there")
    ca, other = _authority(folder, "ca"), _authority(folder, "other-ca")
    server, server_key = _signed(folder, "server", "localhost", ca, "subjectAltName=DNS:localhost,IP:127.0.0.1")
    client, client_key = _signed(folder, "client", "headrace", ca, "extendedKeyUsage=clientAuth")
    locked = folder / "client-locked.key"
    _openssl("pkcs8", "-topk8", "-in", client_key, "-out", locked, "-passout", f"pass:{KEY_PASSWORD}")
    return Certificates(ca, other, server, server_key, client, client_key, locked)


def _authority(folder: Path, name: str) -> Path:
    certificate = folder / f"{name}.pem"
    _openssl("req", "-x509", *_NEW, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", certificate)
    return certificate


def _signed(folder: Path, name: str, subject: str, ca: Path, extension: str) -> tuple[Path, Path]:
    key, request, certificate = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"{extension}\nbasicConstraints=CA:FALSE\n")
    _openssl("req", *_NEW[:-2], "-subj", f"/CN={subject}", "-keyout", key, "-out", request)
    issuer = ("-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial", "-days", "1")
    _openssl("x509", "-req", "-in", request, *issuer, "-extfile", extensions, "-out", certificate)
    return certificate, key


_NEW = ("-newkey", "rsa:2048", "-nodes", "-days", "1")


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
