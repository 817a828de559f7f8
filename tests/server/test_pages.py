"""Pages, assets, headers, and what is shown when something is wrong."""

import gzip
import json
import re
from pathlib import Path

import pytest
import whitenoise.compress
from django.test import Client
from pytest_django import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from tests.server.conftest import Switchable
from veilface.server import pages
from veilface.server import settings as defaults
from veilface.server.middleware import SECURITY_HEADERS

ROUTES = ["/", "/enrol", "/me", "/recognise", "/watch", "/breach", "/about", "/terms", "/login", "/register"]
APP_ROUTES = ["/app", "/app/login", "/app/login/password", "/app/register", "/app/wallet", "/app/pay", "/app/face"]
APP_ROUTES += ["/app/face/enrol", "/app/me", "/app/me/security", f"/app/movements/{'0a' * 16}"]


@pytest.fixture
def web(settings: Settings, tmp_path: Path) -> Path:
    """A built front end."""
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Veilface</title>")
    settings.WEB_ROOT = folder
    return folder


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize("path", [*ROUTES, *APP_ROUTES])
def test_every_route_of_the_front_end_is_its_shell(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert b"<title>Veilface" in response.content
    assert response["Cache-Control"] == "no-cache"


@pytest.mark.usefixtures("web")
@pytest.mark.parametrize("path", ["/nope", "/enrol/x", "/static/web/assets/gone.js", "/me/", "/app/nope", "/apple"])
def test_other_addresses_are_the_shell_with_404(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert b"<title>Veilface" in response.content


def test_the_service_worker_may_serve_the_workers_of_every_page(client: Client, web: Path) -> None:
    assert client.get("/app/sw.js").status_code == 404
    (web / "sw.js").write_text("self.skipWaiting")
    response = client.get("/app/sw.js")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Service-Worker-Allowed"] == "/"
    assert response["Cache-Control"] == "no-cache"


def test_without_a_build_it_says_so(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.WEB_ROOT = tmp_path
    response = client.get("/")
    assert response.status_code == 503
    assert "./run" in response.content.decode()


@pytest.mark.usefixtures("web")
def test_a_loopback_address_is_sent_to_the_origin(client: Client, settings: Settings) -> None:
    settings.ORIGIN = "http://localhost:8000"
    response = client.get("/enrol?x=1", headers={"Host": "127.0.0.1:8000"})
    assert response.status_code == 308
    assert response["Location"] == "http://localhost:8000/enrol?x=1"
    assert client.get("/enrol", headers={"Host": "localhost:8000"}).status_code == 200


def test_an_unknown_host_is_refused(client: Client) -> None:
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400
    answer = client.get("/api/v1/session", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "server.bad_request")


def test_an_unknown_api_address_answers_in_json(client: Client) -> None:
    response = client.get("/api/v1/nope", headers={"Accept-Language": "en"})
    assert response.status_code == 404
    assert response.json() == {"code": "server.not_found", "message": "There is nothing here.", "details": {}}


@pytest.mark.usefixtures("web", "keyholder")
@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/nope", "/api/v1/session", "/api/v1/nope", "/api/docs"])
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    response = client.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert response[name] == value, name
    assert re.fullmatch("[0-9a-f]{16}", response["X-Request-ID"])
    assert int(response["Content-Length"]) == len(response.content)


def test_the_content_security_policy_lets_nothing_in_from_outside() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "http" not in policy
    assert "unsafe-inline" not in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy


def test_our_own_failure_shows_a_page_that_needs_nothing_else(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr(pages, "_shell", lambda **_: 1 / 0)
    response = client.get("/")
    text = response.content.decode()
    assert response.status_code == 500
    assert "我们这边出了错" in text
    assert "Something failed on our side" in text
    assert not re.search(r"<script|<link|<img|src=", text)
    assert "ZeroDivisionError" not in text
    assert response["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.django_db
def test_our_own_failure_in_the_api_is_json(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veilface.server.accounts.api.session_caller", lambda _: 1 / 0)
    response = client.get("/api/v1/session", headers={"Accept-Language": "en"})
    assert response.status_code == 500
    assert response.json()["code"] == "server.failed"
    assert "division" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accepted", "word"),
    [("", "请先登录"), ("zh-CN,en;q=0.5", "请先登录"), ("fr,en-GB;q=0.8", "sign in"), ("de", "请先登录")],
)
def test_failures_speak_the_readers_language(client: Client, accepted: str, word: str) -> None:
    response = client.get("/api/v1/account", headers={"Accept-Language": accepted})
    assert word in response.json()["message"]


@pytest.mark.django_db
def test_the_site_says_who_and_what_it_is(client: Client, keyholder: Switchable, settings: Settings) -> None:
    site = client.get("/api/v1/site").json()
    assert site["origin"] == settings.ORIGIN
    assert site["default_language"] == "zh"
    assert site["team"][0]["name"].keys() == {"zh", "en"}
    assert site["keyholder"]["ready"]
    assert len(site["keyholder"]["fingerprint"]) == 64
    keyholder.fails["*"] = unreachable()
    down = client.get("/api/v1/site").json()
    assert down["keyholder"] == site["keyholder"] | {"ready": False}


def unreachable() -> Exception:
    from veilface.keyholder.errors import KeyHolderUnavailable  # noqa: PLC0415

    return KeyHolderUnavailable()


@pytest.mark.usefixtures("keyholder")
def test_a_site_file_of_ones_own(client: Client, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    text = '{ zh = "甲", en = "A" }'
    file.write_text(f'name = "示例"\n[[team]]\nname = {text}\nrole = {text}\nabout = {text}\n', "utf-8")
    settings.SITE_FILE = file
    site = client.get("/api/v1/site").json()
    assert site["name"] == "示例"
    assert site["team"] == [{key: {"zh": "甲", "en": "A"} for key in ("name", "role", "about")}]


def test_health(client: Client, keyholder: Switchable, db: None) -> None:
    assert client.get("/api/v1/health").json() == {"server": "ok", "database": "ok", "keyholder": "ok"}
    keyholder.fails["*"] = unreachable()
    response = client.get("/api/v1/health")
    assert (response.status_code, response.json()["keyholder"]) == (200, "down")


@pytest.fixture
def assets(web: Path, settings: Settings) -> WhiteNoiseMiddleware:
    """The middleware over a folder like the build's."""
    files = {
        "assets/index-Bq3_x9Z0.js": b"1",
        "assets/ort-wasm-simd-threaded-CwLm4vQ1.wasm": b"\0asm",
        "assets/ort.min-AbCdEf12.mjs": b"1",
        "models/sface.onnx": b"onnx",
        "favicon.svg": b"<svg/>",
    }
    for name, content in files.items():
        (web / name).parent.mkdir(exist_ok=True)
        (web / name).write_bytes(content)
    settings.WHITENOISE_USE_FINDERS = False
    settings.STATIC_ROOT = None
    middleware = WhiteNoiseMiddleware(lambda _: None)
    middleware.add_files(str(web), prefix="/static/web/")
    return middleware


@pytest.mark.parametrize(
    ("path", "kind", "for_ever"),
    [
        ("assets/index-Bq3_x9Z0.js", "text/javascript", True),
        ("assets/ort-wasm-simd-threaded-CwLm4vQ1.wasm", "application/wasm", True),
        ("assets/ort.min-AbCdEf12.mjs", "text/javascript", True),
        ("models/sface.onnx", "application/octet-stream", False),
        ("favicon.svg", "image/svg+xml", False),
    ],
)
def test_assets_have_their_types_and_hashed_ones_are_kept_for_ever(
    assets: WhiteNoiseMiddleware,
    path: str,
    kind: str,
    for_ever: bool,  # noqa: FBT001
) -> None:
    headers = dict(assets.files[f"/static/web/{path}"].get_response("HEAD", {}).headers)
    assert headers["Content-Type"].split(";")[0] == kind
    assert ("immutable" in headers["Cache-Control"]) == for_ever
    assert "Access-Control-Allow-Origin" not in headers


def test_a_packed_asset_is_sent_to_whoever_takes_it(web: Path, settings: Settings) -> None:
    plain = b"let veil = 1;" * 1000
    (web / "boot.js").write_bytes(plain)
    whitenoise.compress.main([str(web), "-q"])
    settings.WHITENOISE_USE_FINDERS = False
    middleware = WhiteNoiseMiddleware(lambda _: None)
    middleware.add_files(str(web), prefix="/static/web/")

    def sent(accepted: str) -> tuple[bytes, str | None]:
        response = middleware.files["/static/web/boot.js"].get_response("GET", {"HTTP_ACCEPT_ENCODING": accepted})
        with response.file as file:
            return file.read(), dict(response.headers).get("Content-Encoding")

    assert sent("") == (plain, None)
    packed, encoding = sent("gzip, deflate")
    assert encoding == "gzip"
    assert gzip.decompress(packed) == plain


def test_the_api_documents_itself_without_any_other_site(client: Client) -> None:
    docs = client.get("/api/docs").content.decode()
    assert "swagger-ui" in docs
    assert "cdn" not in docs
    assert "https://" not in re.sub(r'<script type="application/json".*?</script>', "", docs, flags=re.DOTALL)
    script = re.findall(r"<script(?![^>]*application/json)[^>]*>([^<]*)</script>", docs)
    assert all(not content.strip() for content in script)
    assert client.get("/api/openapi.json").json()["info"]["title"] == "Veilface"


def test_the_files_in_the_repository_are_those_of_the_code() -> None:
    from veilface.server import diagram, openapi  # noqa: PLC0415

    root = Path(__file__).parents[2]
    hint = "run: python -m veilface.server.manage openapi"
    assert (root / "web/src/api/openapi.json").read_text("utf-8") == openapi.document(), hint
    assert (root / "docs/api.md").read_text("utf-8") == openapi.reference(), hint
    assert (root / "docs/database-diagram.md").read_text("utf-8") == diagram.document(), hint
    assert json.loads(openapi.document())["openapi"].startswith("3.1")


def test_no_debug_and_secure_cookies_by_default() -> None:
    assert defaults.DEBUG is False
    assert defaults.SESSION_COOKIE_HTTPONLY is True
    assert defaults.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
