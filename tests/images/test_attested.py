"""Statements that vouch for an image, and all the ways in which one does not."""

from __future__ import annotations

import base64
import builtins
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from phoenix.errors import UsageError
from phoenix.images.attested import About, find_flaw, read_keys
from tests.builders import NOON
from tests.images.signing import REGION, Statement, a_certificate, a_key, a_manifest, a_strange_key, pem

IMAGE = "ami-0123456789abcdef0"
KEY = a_key()
MANIFEST = a_manifest(IMAGE)
ABOUT = About(IMAGE, REGION)


def flaw_of(envelope: Any, manifest: bytes = MANIFEST, about: About = ABOUT, keys: str = "") -> str | None:
    written = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    return find_flaw(written, manifest, read_keys(keys or pem(KEY), NOON), about)


def test_a_signed_statement_about_the_manifest_that_names_the_image_vouches_for_it() -> None:
    assert flaw_of(Statement(MANIFEST).signed(KEY)) is None


@pytest.mark.parametrize(
    "key", [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)], ids=["ed25519", "rsa"]
)
def test_every_kind_of_key_that_cosign_takes_may_sign(key: Any) -> None:
    assert flaw_of(Statement(MANIFEST).signed(key), keys=pem(key)) is None


def test_a_bundle_and_an_envelope_encoded_once_more_are_read_too() -> None:
    envelope = Statement(MANIFEST).signed(KEY)

    assert flaw_of({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": envelope}) is None
    assert flaw_of(base64.b64encode(json.dumps(envelope).encode())) is None


def test_any_key_of_the_file_may_have_signed_so_that_keys_can_be_changed() -> None:
    assert flaw_of(Statement(MANIFEST).signed(KEY), keys=pem(a_key()) + pem(KEY)) is None


def test_another_key_does_not_count() -> None:
    assert flaw_of(Statement(MANIFEST).signed(a_key())) == (
        "the statement is signed by none of the keys in image.signed_by"
    )


def _tampered(envelope: dict[str, Any]) -> dict[str, Any]:
    payload = base64.b64decode(envelope["payload"]).replace(b"https://ci/images", b"https://ci/evil00")
    return {**envelope, "payload": base64.b64encode(payload).decode()}


@pytest.mark.parametrize(
    "change",
    [
        _tampered,
        lambda envelope: {**envelope, "payloadType": "text/plain"},
        lambda envelope: {**envelope, "signatures": []},
        lambda envelope: {**envelope, "signatures": [{"sig": "AAAA"}]},
        lambda envelope: {**envelope, "signatures": [{"keyid": ""}]},
        lambda envelope: {**envelope, "payload": "?"},
        lambda envelope: {"payload": envelope["payload"]},
        lambda envelope: [envelope],
        lambda envelope: b"\xff\x00 no JSON",
        lambda envelope: b"[" * 100_000,
    ],
)
def test_an_envelope_that_was_changed_says_no_and_never_breaks(change: Callable[[Any], Any]) -> None:
    assert flaw_of(change(Statement(MANIFEST).signed(KEY))) is not None


def test_a_statement_about_another_manifest_does_not_count() -> None:
    assert "is about another manifest" in str(flaw_of(Statement(a_manifest("ami-99999999")).signed(KEY)))


def test_a_manifest_that_names_another_image_does_not_count() -> None:
    other = a_manifest("ami-99999999")

    assert flaw_of(Statement(other).signed(KEY), other) == f"the signed manifest does not name {IMAGE} in {REGION}"


def test_an_image_of_a_former_run_in_the_manifest_does_not_count() -> None:
    manifest = a_manifest("ami-99999999", **{"run-1": IMAGE})

    assert "does not name" in str(flaw_of(Statement(manifest).signed(KEY), manifest))


def test_the_same_id_in_another_region_does_not_count() -> None:
    assert "in us-east-1" in str(flaw_of(Statement(MANIFEST).signed(KEY), about=About(IMAGE, "us-east-1")))


@pytest.mark.parametrize("manifest", [b"{}", b'{"builds": 7, "last_run_uuid": "x"}', b'{"builds": [7]}', b"[]"])
def test_a_signed_manifest_of_no_known_shape_names_nothing(manifest: bytes) -> None:
    assert flaw_of(Statement(manifest).signed(KEY), manifest) is not None


@pytest.mark.parametrize(
    "statement",
    [
        Statement(MANIFEST, kind="https://example.com/Statement"),
        Statement(MANIFEST, predicate_type="https://cosign.sigstore.dev/attestation/vuln/v1"),
        Statement(MANIFEST, payload_type="application/json"),
    ],
)
def test_the_same_keys_other_statements_are_not_provenance(statement: Statement) -> None:
    assert flaw_of(statement.signed(KEY)) is not None


def test_the_builder_is_compared_in_both_versions_of_slsa() -> None:
    wanted = About(IMAGE, REGION, "https://ci/images")
    older = Statement(MANIFEST, predicate_type="https://slsa.dev/provenance/v0.2", predicate={"builder": {"id": "x"}})

    assert flaw_of(Statement(MANIFEST).signed(KEY), about=wanted) is None
    assert flaw_of(older.signed(KEY), about=wanted) == (
        "the signed statement names the builder x, not https://ci/images"
    )


def test_a_certificate_counts_until_it_ends() -> None:
    valid, over = (a_certificate(KEY, NOON + timedelta(days=days)) for days in (1, -1))

    assert flaw_of(Statement(MANIFEST).signed(KEY), keys=valid) is None
    with pytest.raises(UsageError, match="has expired"):
        read_keys(over, NOON)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (pem(a_strange_key()), "signs no statements"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be read"),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "ec private key"),
        ("/nowhere/cosign.pub", "cannot be read"),
    ],
)
def test_a_key_that_cannot_be_used_is_an_error_in_words(key: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_keys(key, NOON)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "securesystemslib":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError) as told:
        read_keys(pem(KEY), NOON)

    assert told.value.hint == "pip install 'phoenix-rotate[provenance]'"
