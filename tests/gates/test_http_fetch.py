"""Over real sockets: an answer is taken as it comes, and a certificate is believed where the policy says whom."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from phoenix.errors import Unreachable
from phoenix.gates.http_fetch import Request, fetch


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/healthz": 200, "/moved": 302}.get(self.path, 404))
        self.send_header("Location", "http://203.0.113.1/")
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_request(self, code: object = None, size: object = None) -> None:
        return


@pytest.fixture
def server() -> Iterator[Callable[[str], Request]]:
    listening = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield lambda path: Request(f"http://127.0.0.1:{listening.server_port}{path}", 5)
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/none", 404), ("/moved", 302)])
def test_the_status_is_taken_as_it_comes_and_no_redirect_is_followed(
    server: Callable[[str], Request], path: str, status: int
) -> None:
    assert fetch(server(path)).status == status


def test_the_host_that_is_asked_for_may_be_another_than_the_address(server: Callable[[str], Request]) -> None:
    reply = fetch(replace(server("/healthz"), host="web.example.com"))

    assert (reply.headers["x-host"], reply.body) == ("web.example.com", b"")


def test_the_body_is_read_where_it_is_wanted(server: Callable[[str], Request]) -> None:
    assert fetch(replace(server("/healthz"), wants_body=True)).body == b"x" * 1000


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Request, str]]:
    """A server that proves itself to be web.example.com, and the file with its certificate."""
    listening = HTTPServer(("127.0.0.1", 0), _Answers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(a_certificate(tmp_path, "web.example.com"))
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Request(f"https://127.0.0.1:{listening.server_port}/healthz", 5), str(tmp_path / "web.example.com.pem")
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_certificate_is_checked_where_the_policy_says_who_signed_it(
    secure: tuple[Request, str], tmp_path: Path
) -> None:
    request, own = secure
    other = str(a_certificate(tmp_path, "other.example.com"))

    assert fetch(request).status == 200
    assert fetch(replace(request, ca_file=own)).status == 200
    assert fetch(replace(request, ca_file=own, host="web.example.com")).status == 200
    for bad in (
        replace(request, ca_file=other),
        replace(request, ca_file=own, host="api.example.com"),
        replace(request, ca_file="/nowhere.pem"),
    ):
        with pytest.raises(Unreachable):
            fetch(bad)


def a_certificate(folder: Path, host: str) -> Path:
    """A key and a certificate that it has signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    made = made.not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / f"{host}.pem"
    path.write_bytes(secret + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def test_no_answer_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/"):
        fetch(Request("http://127.0.0.1:1/", 1))
