"""Keys, manifests and statements for tests, signed as cosign signs them: with an empty key id."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REGION = "eu-west-1"


def pem(key: Any) -> str:
    """The public key as cosign writes it."""
    written: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return written.decode()


def a_key() -> ec.EllipticCurvePrivateKey:
    """The kind that `cosign generate-key-pair` makes."""
    return ec.generate_private_key(ec.SECP256R1())


def a_strange_key() -> x25519.X25519PrivateKey:
    """A kind that signs nothing at all."""
    return x25519.X25519PrivateKey.generate()


def a_certificate(key: ec.EllipticCurvePrivateKey, until: datetime) -> str:
    """A certificate of the key that ends then, after a year."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "baking")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, until - timedelta(days=365), until)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def a_manifest(image: str, run: str = "run-2", **others: str) -> bytes:
    """As Packer's post-processor writes it; `others` are images of former runs, by run."""
    builds = [{"artifact_id": f"{REGION}:{other}", "packer_run_uuid": each} for each, other in others.items()]
    builds.append({"artifact_id": f"eu-north-1:ami-00000000,{REGION}:{image}", "packer_run_uuid": run})
    return json.dumps({"builds": builds, "last_run_uuid": run}).encode()


@dataclass(frozen=True)
class Statement:
    """A statement about a manifest; a test changes what it is about."""

    manifest: bytes
    kind: str = "https://in-toto.io/Statement/v1"
    predicate_type: str = "https://slsa.dev/provenance/v1"
    payload_type: str = "application/vnd.in-toto+json"
    predicate: dict[str, Any] = field(default_factory=lambda: {"runDetails": {"builder": {"id": "https://ci/images"}}})

    def signed(self, key: Any) -> dict[str, Any]:
        """The DSSE envelope."""
        digest = hashlib.sha256(self.manifest).hexdigest()
        payload = json.dumps(
            {
                "_type": self.kind,
                "subject": [{"name": "manifest.json", "digest": {"sha256": digest}}],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        ).encode()
        kind = self.payload_type
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        return {
            "payloadType": kind,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": "", "sig": base64.b64encode(_signature(key, pae)).decode()}],
        }


def _signature(key: Any, text: bytes) -> bytes:
    match key:
        case ed25519.Ed25519PrivateKey():
            return key.sign(text)
        case rsa.RSAPrivateKey():
            return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        case ec.EllipticCurvePrivateKey():
            return key.sign(text, ec.ECDSA(hashes.SHA256()))
        case _:
            raise TypeError(f"nothing signs with {key!r} here")
