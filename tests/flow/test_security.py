"""Who may reach what, and that no key is ever found anywhere but at its provider."""

import io
import logging
import os
import stat

import pytest
from loopback import exchange, post, wait_for_records

import scrimp
from scrimp.config import convert
from scrimp.errors import ConfigError
from scrimp.providers.fake import Fake, Turn
from scrimp.web.server import check_exposure

BODY = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}'
KEY = "sk-canary-5f3a9c"


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join(
        [f"GET {path} HTTP/1.1", *(headers or ["host: 127.0.0.1"]), "connection: close", "", ""]
    ).encode()


def test_a_sent_key_is_found_nowhere_but_at_the_provider(fake, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    fake.otherwise = Turn(status=500)
    config = {"record": {"bodies": False}}
    with scrimp.gateway(config, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
        seen = b""
        for status in (200, 500):
            fake.otherwise = Turn(status=status)
            for auth in (f"authorization: Bearer {KEY}", f"x-api-key: {KEY}"):
                seen += exchange(gateway, post("/v1/chat/completions", BODY, auth, "content-type: application/json"))
            seen += exchange(gateway, post(f"/v1/chat/completions?key={KEY}", BODY))
            seen += exchange(gateway, get(f"/v1/models?key={KEY}"))
        wait_for_records(tmp_path / "scrimp.db", 8)
        for page in ("/", "/metrics", "/readyz"):
            seen += exchange(gateway, get(page))
        for file in tmp_path.iterdir():
            seen += file.read_bytes()
    logging.getLogger().removeHandler(handler)
    assert any(KEY in request.path or KEY in str(request.headers) for request in fake.requests)
    assert KEY.encode() not in seen
    assert KEY not in log.getvalue() + caplog.text


def test_database_secret_and_journal_are_for_their_owner_only(gateway, tmp_path):
    exchange(gateway, post("/v1/chat/completions", BODY))
    wait_for_records(tmp_path / "scrimp.db")
    files = list(tmp_path.iterdir())
    assert {"scrimp.db", "scrimp.db.secret"} <= {file.name for file in files}
    assert {stat.S_IMODE(os.stat(file).st_mode) for file in files} == {0o600}


def test_tenants_are_the_same_in_every_process_and_secrets_part_them(fake, tmp_path, monkeypatch):
    names = []
    for secret in ("one", "one", "two"):
        monkeypatch.setenv("SCRIMP_SECRET", secret)
        store = str(tmp_path / f"{len(names)}.db")
        with scrimp.gateway({}, store, upstream=fake.origin) as gateway:
            exchange(gateway, post("/v1/chat/completions", BODY, f"x-api-key: {KEY}", "content-type: application/json"))
            names.append(wait_for_records(store)[0].tenant)
    assert names[0] == names[1] != names[2]
    assert KEY not in names[0]


def test_a_lent_key_is_not_offered_to_a_network():
    config = convert(
        {"serve": {"host": "0.0.0.0"}, "providers": {"p": {"base_url": "http://h/v1", "api_key": "${P_KEY}"}}}
    )
    with pytest.raises(ConfigError, match="would lend the key"):
        check_exposure(config, {"P_KEY": KEY})
    check_exposure(convert({"serve": {"host": "0.0.0.0"}}), {})


def test_a_lent_key_goes_to_known_paths_only(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("P_KEY", KEY)
    config = {
        "providers": {"p": {"base_url": fake.base_url, "api_key": "${P_KEY}"}},
        "passthrough": ["rerank"],
    }
    with scrimp.gateway(config, str(tmp_path / "scrimp.db")) as gateway:
        assert exchange(gateway, post("/v1/chat/completions", BODY, "authorization: Bearer own")).startswith(
            b"HTTP/1.1 200"
        )
        assert exchange(gateway, post("/v1/rerank", BODY)).startswith(b"HTTP/1.1 200")
        refused = exchange(gateway, post("/v1/organization/admin_api_keys", BODY))
        assert refused.startswith(b"HTTP/1.1 404")
        assert b"passthrough" in refused
    assert [r.header("authorization") for r in fake.requests] == [f"Bearer {KEY}"] * 2


def test_browser_pages_of_strangers_are_refused(gateway, fake):
    refused = exchange(gateway, post("/v1/chat/completions", BODY, "origin: https://evil.example"))
    assert refused.startswith(b"HTTP/1.1 403")
    assert not fake.requests
    assert exchange(gateway, get("/", "host: evil.example")).startswith(b"HTTP/1.1 403")
    assert exchange(gateway, get("/metrics", "host: evil.example:4100")).startswith(b"HTTP/1.1 403")
    assert exchange(gateway, post("/v1/chat/completions", BODY, "host: any.example")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/v1/../x", "/v1/%2e%2e/x", "/v1/a/%252e%252e/x", "/v1/..%5cx"])
def test_paths_that_climb_are_refused(gateway, fake, path):
    assert exchange(gateway, post(path, b"{}")).startswith(b"HTTP/1.1 400")
    assert not fake.requests


def test_routing_headers_of_other_gateways_do_nothing(gateway, fake):
    exchange(
        gateway,
        post(
            "/v1/chat/completions",
            BODY,
            "helicone-target-url: http://127.0.0.1:1",
            "x-portkey-custom-host: http://127.0.0.1:1",
            "content-type: application/json",
        ),
    )
    assert len(fake.requests) == 1
    assert not [name for name, _ in fake.requests[0].headers if name.startswith((b"helicone", b"x-portkey"))]


def test_pages_allow_no_script_and_no_stranger(gateway):
    page = exchange(gateway, get("/")).lower()
    assert b"content-security-policy: default-src 'self'" in page
    assert b"<script" not in page
    assert b"x-content-type-options: nosniff" in page


def test_bad_requests_get_a_clear_error_and_never_reach_the_provider(gateway, fake):
    broken = exchange(gateway, post("/v1/chat/completions", b'{"model": '))
    assert broken.startswith(b"HTTP/1.1 400")
    assert b"not valid JSON" in broken
    wrong = exchange(gateway, post("/v1/messages", BODY, "content-type: text/plain"))
    assert wrong.startswith(b"HTTP/1.1 415")
    assert b'"type": "error"' in wrong
    lost = exchange(gateway, get("/chat/completions"))
    assert lost.startswith(b"HTTP/1.1 404")
    assert b"/v1" in lost
    assert not fake.requests


def test_unknown_paths_below_v1_pass_with_their_query_and_are_counted_as_unpriced(gateway, fake, records):
    assert exchange(gateway, post("/v1/new/thing?a=%20b", b"{}")).startswith(b"HTTP/1.1 200")
    assert fake.requests[0].path == "/v1/new/thing?a=%20b"
    (row,) = records()
    assert row.unpriced
    assert row.paid_nano == 0


def test_shared_paths_go_to_the_provider_the_headers_name(tmp_path):
    with Fake() as one, Fake() as two:
        providers = {
            "openai": {"base_url": one.base_url, "api": "openai"},
            "anthropic": {"base_url": two.origin, "api": "anthropic"},
        }
        with scrimp.gateway({"providers": providers}, str(tmp_path / "scrimp.db")) as gateway:
            exchange(gateway, get("/v1/models", "authorization: Bearer x"))
            exchange(gateway, get("/v1/models", "x-api-key: x", "anthropic-version: 2023-06-01"))
    assert [r.path for r in one.requests] == ["/v1/models"]
    assert [r.path for r in two.requests] == ["/v1/models"]
