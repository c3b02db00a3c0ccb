"""The console as the daemon serves it: its files, their caching, and what protects its page. What it
does in a browser is tests/web's."""
import gzip
import re

import pytest


@pytest.fixture
def console(desk):
    """Asks for a path of the root."""
    api = desk.api()

    def ask(path, method="GET", **headers):
        return api.request(method, "/" + path, headers=headers or None)

    if b"not included" in ask("/").body:
        pytest.skip("this daemon was built without the console")
    return ask


def test_the_page_and_its_policy(console):
    page = console("/")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(p.strip().split(" ", 1) for p in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy["script-src"] and "sha256-" in policy["script-src"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in page.headers["Permissions-Policy"]
    # it is asked for each time, and not sent again
    assert page.headers["Cache-Control"] == "no-cache"
    assert console("/", **{"If-None-Match": page.headers["ETag"]}).status == 304
    head = console("/", "HEAD")
    assert head.status == 200 and head.headers["ETag"] == page.headers["ETag"] and not head.body


def test_files_are_kept_for_ever_and_come_compressed(console):
    name = re.search(rb'src="(/assets/[^"]+\.js)"', console("/").body)[1].decode()
    plain, packed = console(name), console(name, **{"Accept-Encoding": "gzip"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert plain.headers["Content-Type"].startswith("text/javascript")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) * 2 < len(plain.body)
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_only_pages_of_the_console_are_its_page(console):
    page = console("/").body
    for path in "/tickets", "/tickets/412", "/sign-in", "/verify", "/reset":
        assert console(path).body == page, path
    for path in ("/nothing", "/assets/nothing.js", "/assets/../index.html", "/policy.txt", "/routes.txt",
                 "/index.html.gz", "/api/v1/nothing", "/problems/nothing"):
        answer = console(path)
        assert answer.status == 404 and answer.json["code"] == "not_found", path
    assert console("/", "POST").status == 404
    # A browser that is led to nowhere has the console's own words for it.
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    lost = console("/nothing", **browser)
    assert lost.status == 404 and lost.body == page
    for path in "/api/v1/nothing", "/assets/nothing.js":
        assert console(path, **browser).json["code"] == "not_found", path


def test_files_are_outside_the_rate_limits(console):
    for _ in range(100):
        answer = console("/")
        assert answer.status == 200 and "RateLimit-Limit" not in answer.headers
