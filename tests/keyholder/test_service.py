"""The wall itself: a real process, real TLS, and only the one client it knows."""

import http.client
import json
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.keyholder.people import Person, dump
from tests.keyholder.walls import HOST, SERVE, Running, free_port, start, stop
from veilface.keyholder import audit, errors, messages, service, tls
from veilface.keyholder.client import RemoteKeyHolder
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.protect.envelope import MessageType, Outcome, Receipt


def test_everything_works_across_the_wall(remote: RemoteKeyHolder, running: Running) -> None:
    person = Person(remote)
    assert person.register().state == "active"
    signed = person.enrolment()
    assert Receipt.parse(remote.enrol(**signed.arguments)).outcome == Outcome.ACCEPTED
    remote.activate(account=person.account, epoch=1, template_hash=signed.header.body_hash)
    receipt = person.verify()
    assert (receipt.outcome, receipt.total_decisions) == (Outcome.ACCEPTED, 2)
    second = person.second_device()
    second.register()
    assert remote.approve_device(**person.approval(second).arguments).state == "active"
    assert remote.revoke_device(**person.revocation(second.device).arguments).state == "revoked"
    status = remote.account_status(person.account)
    assert (status.epoch, status.template_hash) == (1, signed.header.body_hash)
    assert [device.state for device in status.devices] == ["active", "revoked"]
    assert (status.disabled, status.retry_at_ms) == (False, None)
    remote.delete(**person.deletion().arguments)
    remote.forget_account(account=person.account)
    with pytest.raises(errors.AccountForgotten):
        person.grant(MessageType.DEVICE)
    head = remote.audit_head()
    assert audit.check(running.data, heads=[head]).records == head.index


def test_many_at_once(remote: RemoteKeyHolder) -> None:
    person = Person(remote)
    person.register()
    with ThreadPoolExecutor(8) as pool:
        grants = list(pool.map(lambda _: person.grant(MessageType.DEVICE), range(40)))
    assert len({grant.challenge for grant in grants}) == 40


def test_a_refusal_crosses_the_wall_as_itself(remote: RemoteKeyHolder) -> None:
    with pytest.raises(errors.UnknownAccount):
        remote.account_status(bytes(16))
    with pytest.raises(GalleryUnknown):
        remote.issue_challenge(type=MessageType.IDENTIFY, account=bytes(16), device=bytes(16), context_hash=bytes(32))
    with pytest.raises(errors.Malformed) as caught:
        remote.issue_challenge(type=MessageType.ENROL, account=bytes(16), device=bytes(16), context_hash=bytes(32))
    assert caught.value.details == {"field": "suite", "got": 0, "expected": "10: 1, 3, 4; else: 0"}


# --- who may come in -------------------------------------------------------------------------------------


def status_of(connection: http.client.HTTPConnection) -> int:
    connection.request("POST", "/v1/identity", b"")
    return connection.getresponse().status


def refuses(running: Running, context: ssl.SSLContext) -> None:
    """TLS 1.3 tells a refused client at its first read."""
    before = dump(running.data)
    with closing(running.raw(context)) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        status_of(connection)
    assert dump(running.data) == before


def test_no_certificate_is_refused(running: Running) -> None:
    context = ssl.create_default_context(cafile=running.credentials / tls.KEYHOLDER_CERTIFICATE)
    context.check_hostname = False
    refuses(running, context)


def test_another_certificate_is_refused(running: Running, tmp_path: Path) -> None:
    """Same name, same shape, other key."""
    tls.write_certificate(certificate=tmp_path / tls.CLIENT_CERTIFICATE, key=tmp_path / tls.CLIENT_KEY, role="client")
    for name in (tls.KEYHOLDER_CERTIFICATE, "keyholder.pub"):
        (tmp_path / name).write_bytes((running.credentials / name).read_bytes())
    refuses(running, tls.client_context(tmp_path))
    with running.client(tmp_path) as client, pytest.raises(errors.KeyHolderUnavailable):
        client.identity()


def test_a_certificate_signed_by_the_pinned_one_is_refused(running: Running, tmp_path: Path) -> None:
    """The pinned certificate stands for itself and vouches for nobody."""
    issuer = x509.load_pem_x509_certificate((running.credentials / tls.CLIENT_CERTIFICATE).read_bytes())
    issuer_key = load_pem_private_key((running.credentials / tls.CLIENT_KEY).read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = (
        x509.CertificateBuilder()
        .subject_name(issuer.subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .sign(issuer_key, SHA256())
    )
    chain = tmp_path / "chain.crt"
    chain.write_bytes(leaf.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM))
    secret = tmp_path / "leaf.txt"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(cafile=running.credentials / tls.KEYHOLDER_CERTIFICATE)
    context.check_hostname = False
    context.load_cert_chain(chain, secret)
    refuses(running, context)


def test_an_older_tls_is_refused(running: Running) -> None:
    context = tls.client_context(running.credentials)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refuses(running, context)


def test_plain_http_is_refused(running: Running) -> None:
    connection = http.client.HTTPConnection(HOST, running.port, timeout=10)
    with closing(connection), pytest.raises((http.client.HTTPException, ConnectionError)):
        status_of(connection)


def test_a_false_key_holder_is_not_believed(running: Running, tmp_path: Path) -> None:
    """The client's credentials lead to another key holder than the one that answers."""
    service.initialise(tmp_path / "other", server_credentials=tmp_path / "server")
    with running.client(tmp_path / "server") as client, pytest.raises(errors.KeyHolderUnavailable):
        client.identity()
    (tmp_path / "server" / tls.KEYHOLDER_CERTIFICATE).write_bytes(
        (running.credentials / tls.KEYHOLDER_CERTIFICATE).read_bytes()
    )
    for name in (tls.CLIENT_CERTIFICATE, tls.CLIENT_KEY):
        (tmp_path / "server" / name).write_bytes((running.credentials / name).read_bytes())
    with running.client(tmp_path / "server") as client:  # the right certificate, the wrong signing key
        for question in (client.identity, client.audit_head):
            with pytest.raises(errors.KeyHolderUnavailable):
                question()


# --- what may come in ------------------------------------------------------------------------------------


def ask(running: Running, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    with closing(running.raw()) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()


WRONG_LENGTHS = [
    (verb, length)
    for verb, layout in messages.REQUESTS.items()
    for right in layout.lengths
    for length in (right - 1, right + 1, right + 1_000_000)
    if length >= 0
]


@pytest.mark.parametrize(("verb", "length"), WRONG_LENGTHS)
def test_a_body_of_another_length_is_refused(running: Running, verb: str, length: int) -> None:
    before = dump(running.data)
    status, answer = ask(running, "POST", f"/v1/{verb}", bytes(length))
    assert (status, json.loads(answer)["code"]) == (400, "keyholder.malformed")
    assert dump(running.data) == before


def test_a_gigabyte_is_refused_before_it_is_sent(running: Running) -> None:
    with closing(running.raw()) as connection:
        connection.putrequest("POST", "/v1/verify")
        connection.putheader("Content-Length", str(2**30))
        connection.endheaders()
        assert connection.getresponse().status == 400


def test_a_body_of_unknown_length_is_refused(running: Running) -> None:
    with closing(running.raw()) as connection:
        connection.request("POST", "/v1/identity", iter([b""]), encode_chunked=True)
        assert connection.getresponse().status == 400


def test_garbage_of_the_right_length_is_refused_and_nothing_leaks(running: Running) -> None:
    before = dump(running.data)
    for verb, length in ((verb, length) for verb, layout in messages.REQUESTS.items() for length in layout.lengths):
        if length == 0:
            continue
        status, answer = ask(running, "POST", f"/v1/{verb}", bytes([7]) * length)
        assert status in {400, 404, 409}, verb
        content = json.loads(answer)
        assert content.keys() == {"code", "details"}
        assert content["code"] in errors.by_code()
    assert dump(running.data) == before


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/verify"), ("POST", "/v1/nothing"), ("GET", "/")])
def test_nothing_else_is_served(running: Running, method: str, path: str) -> None:
    status, answer = ask(running, method, path)
    assert status in {404, 405}
    assert b"Traceback" not in answer


def test_health(running: Running) -> None:
    assert ask(running, "GET", "/v1/health") == (200, b'{"status":"ok"}')


# --- what must not come out ------------------------------------------------------------------------------


def test_the_log_holds_no_value(remote: RemoteKeyHolder, running: Running) -> None:
    person = Person(remote)
    person.register()
    signed = person.enrolment()
    remote.enrol(**signed.arguments)
    log = running.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line.get("verb") == "enrol" and line["status"] == 200 for line in lines)
    allowed = {"event", "level", "timestamp", "verb", "status", "code", "ms", "host", "port", "logger", "error"}
    assert all(line.keys() <= allowed for line in lines)
    for value in (person.account, person.device, signed.header.key_fp, signed.header.challenge, signed.signature):
        assert value.hex() not in log


# --- coming and going ------------------------------------------------------------------------------------


def test_a_client_survives_a_restart(tmp_path: Path) -> None:
    service.initialise(tmp_path / "keyholder", server_credentials=tmp_path / "server")
    port = free_port()
    first = start(tmp_path / "keyholder", tmp_path / "server", tmp_path / "log", port)
    with first.client() as client:
        person = Person(client)
        person.register()
        assert stop(first) == 0
        with pytest.raises(errors.KeyHolderUnavailable):
            client.account_status(person.account)
        second = start(tmp_path / "keyholder", tmp_path / "server", tmp_path / "log", port)
        assert len(client.account_status(person.account).devices) == 1
        second.process.kill()
        second.process.wait(20)
        with pytest.raises(errors.KeyHolderUnavailable):
            client.account_status(person.account)


def test_a_taken_address_is_said(running: Running, tmp_path: Path) -> None:
    service.initialise(tmp_path / "keyholder", server_credentials=tmp_path / "server")
    code = SERVE.replace("service.serve", "import veilface.keyholder.errors as e\ntry: service.serve") + (
        "\nexcept e.KeyHolderAddressTaken: sys.exit(7)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "keyholder"), str(running.port)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 7


def test_initialising_twice_keeps_every_file(tmp_path: Path) -> None:
    folders = tmp_path / "keyholder", tmp_path / "server"

    def contents() -> dict[Path, bytes]:
        return {
            path: path.read_bytes() for folder in folders for path in folder.iterdir() if "sqlite3" not in path.name
        }

    service.initialise(folders[0], server_credentials=folders[1])
    before = contents()
    service.initialise(folders[0], server_credentials=folders[1])
    assert contents() == before
    assert all(path.stat().st_mode & 0o077 == 0 for path in before if path.suffix == ".key")
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in folders)


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    with pytest.raises(errors.KeyHolderMisconfigured):
        RemoteKeyHolder("https://127.0.0.1:1", credentials=tmp_path)
    with pytest.raises(errors.KeyHolderMisconfigured):
        tls.server_context(tmp_path)


def test_nobody_there(tmp_path: Path) -> None:
    service.initialise(tmp_path / "keyholder", server_credentials=tmp_path / "server")
    url = f"https://{HOST}:{free_port()}"
    with (
        RemoteKeyHolder(url, credentials=tmp_path / "server") as client,
        pytest.raises(errors.KeyHolderUnavailable),
    ):
        client.identity()
