"""Headers: hop-by-hop stay behind, labels never leave, a supplied key replaces every credential."""

from scrimp.wire.headers import client_headers, upstream_headers

CLIENT = [
    (b"host", b"scrimp"),
    (b"connection", b"close, x-hop"),
    (b"x-hop", b"1"),
    (b"content-length", b"5"),
    (b"authorization", b"Bearer sk-1"),
    (b"accept-encoding", b"gzip, br, zstd;q=0.5, deflate"),
    (b"x-scrimp-feature", b"f"),
    (b"helicone-user-id", b"u"),
    (b"openai-organization", b"org"),
    (b"x-name", "zoë".encode()),
]


def test_only_what_a_provider_should_see_goes_up():
    assert upstream_headers(CLIENT, None, plain=False) == [
        ("authorization", "Bearer sk-1"),
        ("accept-encoding", "gzip, deflate"),
        ("openai-organization", "org"),
        ("x-name", "zoë"),
    ]


def test_a_supplied_key_replaces_the_clients_credentials():
    sent = upstream_headers([*CLIENT, (b"x-api-key", b"own"), (b"cookie", b"s")], ("x-api-key", "lent"), plain=True)
    assert ("x-api-key", "lent") in sent
    assert not {"authorization", "cookie"} & {name for name, _ in sent}
    assert [value for name, value in sent if name == "x-api-key"] == ["lent"]
    assert ("accept-encoding", "identity") in sent


def test_answers_keep_their_headers_less_hop_by_hop():
    raw = [(b"Set-Cookie", b"a"), (b"Set-Cookie", b"b"), (b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"3")]
    kept = client_headers(raw, edited=False)
    assert kept == [(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"3")]
    assert client_headers(raw, edited=True) == kept[:2]
