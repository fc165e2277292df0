"""The cluster's own certificate authority, and the kubeconfigs that it signs."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml

from fink_distribution.local_kafka.private import write_private
from testbed.commands import run

DAYS = 365
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Makes keys and certificates in one folder; what is there already is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.certificate = folder / "ca.crt"
        if not self.certificate.exists():
            made = ("-keyout", self.folder / "ca.key", "-out", self.certificate)
            usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
            run(["openssl", "req", "-x509", *_KEY, *made, "-days", str(DAYS), "-subj", "/CN=testbed-ca", *usage])

    def sign(self, name: str, subject: str, *, server_names: str = "", days: int = DAYS) -> tuple[Path, Path]:
        """The certificate and the key of `name`: a client's, or, with `server_names`, a server's; `days` < 0: one that has ended."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if not certificate.exists():
            request = self.folder / f"{name}.csr"
            usage = f"serverAuth\nsubjectAltName={server_names}" if server_names else "clientAuth"
            extensions = [f"extendedKeyUsage={usage}", "basicConstraints=CA:FALSE"]
            added = [a for e in "\n".join(extensions).splitlines() for a in ("-addext", e)]
            run(["openssl", "req", *_KEY, "-keyout", key, "-out", request, "-subj", subject, *added])
            signer = ("-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-copy_extensions", "copy")
            # Not `req -x509`: it refuses to make a certificate that has ended.
            run(["openssl", "x509", "-req", "-in", request, *signer, "-days", str(days), "-out", certificate])
        return certificate, key

    def signing_key(self, name: str) -> Path:
        """A private key without a certificate, as for signing the tokens of service accounts."""
        key = self.folder / f"{name}.key"
        if not key.exists():
            # Not genpkey: Kubernetes finds no public key in the PKCS#8 form of an elliptic curve's.
            run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
        return key

    def kubeconfig(self, name: str, subject: str, server: str, file: Path | None = None) -> Path:
        """A kubeconfig that holds all it needs; written anew each time, since the server's address may have changed."""
        certificate, key = self.sign(name, subject)
        cluster = {"server": server, "certificate-authority-data": _base64(self.certificate)}
        user = {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "testbed", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": name}}],
            "current-context": "testbed",
        }
        file = file or self.folder / f"{name}.kubeconfig"
        write_private(file, yaml.safe_dump(document))
        return file


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
