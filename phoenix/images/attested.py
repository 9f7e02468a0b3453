"""Is a statement signed by a key that counts, and is it about this image? The cryptography is securesystemslib's.

Must never look into a payload whose signature does not hold, and never say yes because a part is missing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from phoenix.errors import UsageError
from phoenix.images.statements import StatementFlaw

INSTALL: Final = "pip install 'phoenix-rotate[provenance]'"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENTS: Final = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
PREDICATES: Final = "https://slsa.dev/provenance/"
_MOST_KEYS: Final = 20
_MOST_SIGNATURES: Final = 20
_MOST_KEY_BYTES: Final = 256 * 1024
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----")
_RSA_SCHEMES: Final = ("rsassa-pss-sha256", "rsa-pkcs1v15-sha256")
"""in-toto signs with the first, cosign with the second."""


@dataclass(frozen=True, slots=True)
class About:
    """What a statement has to be about: the image and its Region, and the builder, if one is demanded."""

    image: str
    region: str | None
    builder: str | None = None


def read_keys(key: str, at: datetime) -> list[Any]:
    """Return the keys that may sign. A certificate counts while it is valid.

    Raises:
        UsageError: the library is not installed, there is no such file, or it holds no key that can be used now.
    """
    _library()
    text, where = (key, "image.signed_by.key") if "-----BEGIN" in key else (_content_of(key), key)
    blocks = [(found.group(1), found.group().encode()) for found in _PEM.finditer(text)]
    if not blocks:
        raise UsageError(f"{where} holds no public key as PEM", hint="cosign public-key --key cosign.key > cosign.pub")
    if len(blocks) > _MOST_KEYS:
        raise UsageError(f"{where} holds more than {_MOST_KEYS} keys")
    usable = [each for kind, pem in blocks for each in _usable(kind, pem, at, where)]
    if not usable:
        raise UsageError(f"every certificate in {where} has expired, or is not valid yet")
    return usable


def find_flaw(envelope: bytes, manifest: bytes, keys: Sequence[Any], about: About) -> str | None:
    """Why the statement does not vouch for the image; None if it does."""
    try:
        statement = _signed(envelope, keys)
        _check_kind(statement)
        _check_subject(statement, manifest)
        _check_builder(statement, about.builder)
        _check_manifest(manifest, about)
    except StatementFlaw as flaw:
        return flaw.message
    return None


# --- keys -------------------------------------------------------------------------------------------------------------


def _library() -> None:
    try:
        import cryptography
        import securesystemslib

        del cryptography, securesystemslib
    except ImportError:
        raise UsageError("image.signed_by needs a library that is not installed", hint=INSTALL) from None
    # It writes to standard error by itself; here, our own logs decide.
    logger = logging.getLogger("securesystemslib")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def _content_of(file: str) -> str:
    try:
        with Path(file).expanduser().open("rb") as opened:
            return opened.read(_MOST_KEY_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise UsageError(f"the key file {file} cannot be read: {error.strerror}") from None


def _usable(kind: str, pem: bytes, at: datetime, where: str) -> Iterator[Any]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    if kind not in ("PUBLIC KEY", "CERTIFICATE", "RSA PUBLIC KEY"):
        raise UsageError(f"{where} holds a {kind.lower()}; public keys and certificates are wanted, nothing else")
    try:
        if kind == "CERTIFICATE":
            certificate = load_pem_x509_certificate(pem)
            if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
                return
            public: Any = certificate.public_key()
        else:
            public = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{where} holds a key that cannot be read: {error}") from None
    yield from _of_library(public, where)


def _of_library(public: Any, where: str) -> Iterator[Any]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # exported, without a word

    schemes = _RSA_SCHEMES if isinstance(public, RSAPublicKey) else (None,)
    try:
        yield from [SSlibKey.from_crypto(public, scheme=scheme) for scheme in schemes]
    except ValueError:
        raise UsageError(f"{where} holds a key of a kind that signs no statements: {type(public).__name__}") from None


# --- the envelope -----------------------------------------------------------------------------------------------------


def _signed(envelope: bytes, keys: Iterable[Any]) -> Mapping[str, Any]:
    """The statement in the envelope, once one of the keys has signed it."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature  # type: ignore[attr-defined]  # exported, without a word

    written = _envelope_in(_json(envelope, "the statement"))
    signatures = written.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= _MOST_SIGNATURES:
        raise StatementFlaw("the statement is not signed")
    try:
        # DSSE says of the key id that it must not decide anything: cosign leaves it empty.
        numbered = [{"keyid": str(n), "sig": str(each["sig"])} for n, each in enumerate(signatures)]
        found = Envelope.from_dict({**written, "signatures": numbered})
        signed = found.pae()
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        raise StatementFlaw(f"the statement is no DSSE envelope: {type(error).__name__}") from None
    for key in keys:
        for signature in found.signatures.values():
            try:
                key.verify_signature(Signature(key.keyid, signature.signature), signed)
            except UnverifiedSignatureError:
                continue
            if found.payload_type != PAYLOAD_TYPE:
                raise StatementFlaw("the signed payload is no in-toto statement")
            return _json(found.payload, "the signed payload")
    raise StatementFlaw("the statement is signed by none of the keys in image.signed_by")


def _envelope_in(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """A bundle, as newer versions of cosign write it, holds the envelope."""
    inner = written.get("dsseEnvelope", written)
    if not isinstance(inner, dict):
        raise StatementFlaw("the statement is no DSSE envelope")
    return inner


def _json(content: bytes, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(_plain(content))
    except (ValueError, RecursionError):
        raise StatementFlaw(f"{what} is not JSON") from None
    if not isinstance(found, dict):
        raise StatementFlaw(f"{what} is not a JSON object")
    return found


def _plain(content: bytes) -> bytes:
    """Some versions of cosign encode the envelope once more."""
    if content.lstrip()[:1] in (b"{", b"["):
        return content
    try:
        return base64.b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError):
        return content


# --- what it says -----------------------------------------------------------------------------------------------------


def _check_kind(statement: Mapping[str, Any]) -> None:
    if statement.get("_type") not in STATEMENTS:
        raise StatementFlaw("the signed payload is no in-toto statement")
    if not str(statement.get("predicateType", "")).startswith(PREDICATES):
        # The same key may sign other things about the same file: a list of its contents, a failed scan.
        raise StatementFlaw("the signed statement is not SLSA provenance")


def _check_subject(statement: Mapping[str, Any], manifest: bytes) -> None:
    subjects = statement.get("subject")
    digest = hashlib.sha256(manifest).hexdigest()
    for subject in subjects if isinstance(subjects, list) else ():
        digests = subject.get("digest") if isinstance(subject, dict) else None
        if isinstance(digests, dict) and digests.get("sha256") == digest:
            return
    raise StatementFlaw(f"the signed statement is about another manifest; this one has sha256 {digest[:12]}...")


def _check_builder(statement: Mapping[str, Any], builder: str | None) -> None:
    if builder is None:
        return
    predicate = statement.get("predicate")
    found = predicate if isinstance(predicate, dict) else {}
    details = found.get("runDetails")
    named = (details if isinstance(details, dict) else found).get("builder")
    known = named.get("id") if isinstance(named, dict) else None
    if known != builder:
        raise StatementFlaw(f"the signed statement names the builder {str(known)[:80]}, not {builder}")


def _check_manifest(manifest: bytes, about: About) -> None:
    """Packer's manifest keeps the builds of former runs; only those of its last run count."""
    written = _json(manifest, "the manifest")
    run, builds = written.get("last_run_uuid"), written.get("builds")
    of_run = [b for b in builds if isinstance(b, dict)] if isinstance(builds, list) else []
    made = [
        artifact.strip()
        for build in of_run
        if run and build.get("packer_run_uuid") == run
        for artifact in str(build.get("artifact_id", "")).split(",")
    ]
    if f"{about.region}:{about.image}" not in made:
        raise StatementFlaw(f"the signed manifest does not name {about.image} in {about.region}")
