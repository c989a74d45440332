"""protocol/request.py"""

import pytest

from livestream_nb.errors import InvalidOption, UntrustedRedirect
from livestream_nb.protocol.request import headers, next_hop, stream_request

ADOBE = "https://livestream.adobe.net/api/1/stream/shop"
LOCAL = "http://127.0.0.1:8080/api/1/stream/demo"


def test_name_means_adobe() -> None:
    """A bare name is a stream on Adobe's endpoint."""
    assert stream_request("shop").url(first=True) == f"{ADOBE}?maxConnections=1"


@pytest.mark.parametrize("url", [ADOBE, LOCAL, "http://localhost/s", "https://[::1]:9/api/s"])
def test_urls_allowed(url: str) -> None:
    """Adobe over https and this machine over http are streams; the base keeps no query."""
    request = stream_request(f"{url}?beta=true")
    assert request.base == url
    assert request.url(first=False) == f"{url}?beta=true&maxConnections=1"


def test_every_option_is_sent() -> None:
    """connections, smoothing and reset travel in the query, in Adobe's spelling."""
    request = stream_request("shop", connections=3, reset="smallest", smoothing=60)
    assert request.url(first=True) == (
        f"{ADOBE}?maxConnections=3&smoothing=1&smoothingBucketSize=60&reset=smallest"
    )


@pytest.mark.parametrize("request_", [
    stream_request("shop", reset="latest"),
    stream_request(f"{ADOBE}?reset=latest"),
])  # fmt: skip
def test_reset_goes_once(request_) -> None:
    """reset, as an option or in the URL, is part of the first URL and of no other."""
    assert "reset=latest" in request_.url(first=True)
    assert "reset" not in request_.url(first=False)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"smoothing": True}, 0),
        ({"smoothing": 7200}, 7200),
        ({"smoothing": None}, None),
        ({"smoothing": False}, None),
        ({"stream": f"{ADOBE}?smoothing=1"}, 0),
        ({"stream": f"{ADOBE}?smoothing=1&smoothingBucketSize=30"}, 30),
    ],
)
def test_smoothing(given, meant) -> None:
    """True leaves the bucket to the service; a number is its seconds; the URL may say both."""
    assert stream_request(**({"stream": "shop"} | given)).smoothing == meant


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"connections": 0}, "connections=0 "),
        ({"connections": 9}, "connections=9 "),
        ({"connections": True}, "connections=True "),
        ({"connections": 1.0}, "connections=1.0 "),
        ({"connections": "2"}, "connections='2' "),
        ({"connections": 2, "stream": f"{ADOBE}?maxConnections=3"}, "maxConnections='3'"),
        ({"reset": "first"}, "reset='first' "),
        ({"reset": True}, "reset=True "),
        ({"stream": f"{ADOBE}?reset=now"}, "reset='now' "),
        ({"smoothing": 0}, "smoothing=0 "),
        ({"smoothing": 7201}, "smoothing=7201 "),
        ({"smoothing": "yes"}, "smoothing='yes' "),
        ({"stream": f"{ADOBE}?smoothing=1&smoothingBucketSize=x"}, "smoothing='x' "),
        ({"stream": ""}, "stream='' "),
        ({"stream": "a b"}, "stream='a b' "),
        ({"stream": "../etc"}, "stream='../etc' "),
        ({"stream": None}, "stream=None "),
        ({"stream": "ftp://livestream.adobe.net/x"}, "stream='ftp:"),
        ({"stream": "http://livestream.adobe.net/x"}, "stream='http:"),
        ({"stream": "https://livestream.adobe.net.example.org/x"}, "example.org/x' "),
        ({"stream": "https://livestream.adobe.net:99999/x"}, ":99999/x' "),
        ({"stream": "https://livestream.adobe.net/"}, "adobe.net/' "),
        ({"stream": "http://10.0.0.1/stream/x"}, "10.0.0.1/stream/x' "),
    ],
)
def test_wrong_values_are_refused(given, named) -> None:
    """A wrong value is refused at once, in a sentence that names it and the right ones."""
    with pytest.raises(InvalidOption, match=r"give|the token goes only to") as refused:
        stream_request(**({"stream": "shop"} | given))
    assert named in str(refused.value)


def test_password_in_url_is_not_repeated() -> None:
    """A URL with a user and password is refused without showing them."""
    with pytest.raises(InvalidOption) as refused:
        stream_request("https://me:hunter2@livestream.adobe.net/api/1/stream/x")
    assert "hunter2" not in str(refused.value)


def test_headers() -> None:
    """The token, gzip, and the client id where one is known."""
    assert headers("t", "c") == {
        "Authorization": "Bearer t",
        "Accept-Encoding": "gzip",
        "x-api-key": "c",
    }
    assert "x-api-key" not in headers("t")


@pytest.mark.parametrize(
    ("stream", "location", "target"),
    [
        (ADOBE, "https://eu.livestream.adobe.net/x?y=1", "https://eu.livestream.adobe.net/x?y=1"),
        (ADOBE, "/api/1/stream/other", "https://livestream.adobe.net/api/1/stream/other"),
        (ADOBE, "https://livestream.adobe.net:443/x", "https://livestream.adobe.net:443/x"),
        (LOCAL, "http://127.0.0.1:9090/x", "http://127.0.0.1:9090/x"),
    ],
)
def test_trusted_hops(stream: str, location: str, target: str) -> None:
    """Adobe's hosts over https, and loopback from loopback, may be given the token."""
    request = stream_request(stream)
    assert next_hop(request, [request.url(first=True)], location) == target


@pytest.mark.parametrize(
    ("stream", "location"),
    [
        (ADOBE, None),
        (ADOBE, "http://livestream.adobe.net/x"),
        (ADOBE, "https://livestream.adobe.net:8443/x"),
        (ADOBE, "https://user@livestream.adobe.net/x"),
        (ADOBE, "https://evil.example/livestream.adobe.net"),
        (ADOBE, "https://notlivestream.adobe.net/"),
        (ADOBE, "http://127.0.0.1/x"),
        (LOCAL, "http://192.0.2.1/x"),
    ],
)
def test_untrusted_hops(stream: str, location: str | None) -> None:
    """Any other place is refused before the token is sent there."""
    request = stream_request(stream)
    with pytest.raises(UntrustedRedirect):
        next_hop(request, [request.url(first=True)], location)


def test_loops_and_chains_end() -> None:
    """A place seen before is a loop, and the sixth hop is one too many."""
    request = stream_request(LOCAL)
    first = request.url(first=True)
    with pytest.raises(UntrustedRedirect, match="loop"):
        next_hop(request, [first, "http://127.0.0.1/b"], first)
    visited = [first, *(f"http://127.0.0.1/{n}" for n in range(5))]
    assert next_hop(request, visited[:-1], "http://127.0.0.1/new")
    with pytest.raises(UntrustedRedirect, match="More than 5"):
        next_hop(request, visited, "http://127.0.0.1/new")


@pytest.mark.parametrize(
    ("stream", "key"),
    [
        ("shop", "livestream.adobe.net/shop"),
        ("https://livestream.adobe.net/api/2/stream/shop", "livestream.adobe.net/shop"),
        (
            "https://LIVESTREAM.adobe.net:443/api/1/stream/shop?beta=true",
            "livestream.adobe.net/shop",
        ),
        ("https://livestream.adobe.net/api/1/stream/Shop", "livestream.adobe.net/Shop"),
        ("http://127.0.0.1:8765/api/1/stream/demo", "127.0.0.1:8765/demo"),
    ],
)
def test_one_stream_has_one_key(stream: str, key: str) -> None:
    """However a stream's URL is written, it is the same stream."""
    assert stream_request(stream).key == key
