"""The API of the running daemon: what it causes outside, and clients that mean no good."""
import base64
import contextlib
import gzip
import http.client
import json
import random
import re
import socket
import statistics
import time
import urllib.parse

import pytest

from lib import reply_to, text_of


@pytest.fixture
def ticket(desk):
    """A ticket of Carol's, made through the API."""
    answer = desk.api("carol").post("/tickets", {"title": "Printer on fire",
                                                 "description": "It burns."})
    assert answer.status == 201, answer.body
    return answer.json


def address_of(desk):
    url = urllib.parse.urlsplit(desk["http"])
    return url.hostname, url.port


def connect(desk):
    return socket.create_connection(address_of(desk), timeout=20)


def raw(desk, request):
    """The bytes of the answer to these bytes, read to the end of the connection."""
    with connect(desk) as s:
        with contextlib.suppress(OSError):  # it may have had enough before the end
            s.sendall(request)
            s.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := s.recv(65536):
                answer += chunk
        return answer


def test_what_is_overdue_is_found(desk):
    anna = desk.api("anna")
    late, early, free = (anna.post("/tickets", {"title": t, "description": "x"}).json["id"]
                         for t in ("late", "early", "free"))
    assert anna.patch(f"/tickets/{late}", {"due_at": "2020-01-01T00:00:00Z"}).status == 200
    assert anna.patch(f"/tickets/{early}", {"due_at": "2100-01-01T00:00:00Z"}).status == 200
    found = {wish: {t["id"]: t["overdue"] for t in anna.tickets(overdue=wish)}
             for wish in ("true", "false")}
    assert late in found["true"] and not {early, free} & set(found["true"])
    assert {early, free} <= set(found["false"]) and late not in found["false"]
    assert set(found["true"].values()) == {True} and set(found["false"].values()) == {False}
    assert anna.get("/tickets", overdue="1").status == 400


# ---- what it causes ----

def test_a_reply_by_api_reaches_the_customer_and_threads_back(desk, ticket):
    anna = desk.api("anna")
    path = f"/tickets/{ticket['id']}/comments"
    assert anna.post(path, {"body": "hush", "is_internal": True}).status == 201
    assert anna.post(path, {"body": "Have you tried *water*?"}).status == 201
    with desk.mailbox("carol") as box:
        mail = box.wait_mail("Anna's reply", lambda m: "tried" in text_of(m))
    assert f"[#{ticket['id']}]" in mail["Subject"] and "hush" not in mail.as_string()
    desk.send(reply_to(mail, "Carol <carol@customer.test>", "Now it is wet."), login="carol")
    anna.wait_ticket("Carol's answer", lambda t: t["id"] == ticket["id"] and
                     any("wet" in c["body"] for c in anna.comments(t["id"])))


def test_nobody_elses_ticket_is_there(desk, ticket):
    dave = desk.api("dave")
    path = f"/tickets/{ticket['id']}"
    for method, path, body in (("GET", path, None), ("PATCH", path, {"title": "x"}),
                               ("GET", path + "/comments", None), ("GET", path + "/history", None),
                               ("POST", path + "/comments", {"body": "x"})):
        answer = dave.request(method, path, body)
        assert answer.status == 404 and answer.json["code"] == "not_found", (method, path)
    assert ticket["id"] not in [t["id"] for t in dave.tickets()]


def test_the_document_names_what_is_there(desk):
    document = desk.api().get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = re.sub("{[a-z]+}", "1", path).removeprefix("/api/v1")
            where = where if path.startswith("/api/v1") else "/" + path
            answer = desk.api().request(method.upper(), where, {} if method != "get" else None)
            if operation["security"]:
                assert answer.status == 401, (method, path)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
            else:
                assert answer.status in (200, 401, 422), (method, path, answer.status)


def test_answers_are_compressed_for_who_can_read_it(desk):
    answer = desk.api().request("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body))["openapi"]


# ---- what is no good ----

def encode(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_tokens_that_are_not_ours(desk):
    carol = desk.api("carol")
    header, claims, mac = carol.token.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "==="))
    forged = [
        f"{encode({'alg': 'none', 'typ': 'at+jwt'})}.{claims}.",
        f"{encode({'alg': 'none', 'typ': 'at+jwt'})}.{claims}.{mac}",
        f"{encode({'alg': 'HS512', 'typ': 'at+jwt'})}.{claims}.{mac}",
        f"{header}.{encode({**told, 'role': 'admin'})}.{mac}",
        f"{header}.{claims}.{mac[:-2]}",
        f"{header}.{claims}",
        "." * 3, "x" * 9000,
    ]
    for token in forged:
        carol.token = token
        assert carol.get("/auth/me").status == 401, token


@pytest.mark.parametrize("body, status", [
    (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b'{"title": NaN}', 400), (b"[" * 100000, 400),
    (b'{"title":"\\ud800","description":"x"}', 400), (b'{"a":1,"a":2}', 400),
    (b"null", 422), (b"[]", 422), (b'"x"', 422), (b"{}", 422),
    (b'{"title":{"$ne":1},"description":"x"}', 422),
    (b'{"title":"x","description":"x","id":7,"version":9}', 422),
    (b'{"title":"x","description":"x","created_by":1}', 422),
    *((b'{"title":"x","description":"x%s"}' % control, 422)
      for control in (b"\\u0001", b"\\u007f", b"\\u0080", b"\xc2\x85", b"\\u009f")),
])
def test_bodies_that_cannot_be(desk, body, status):
    answer = desk.api("carol").request("POST", "/tickets", body)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "code", "detail", "errors"} <= answer.json.keys()


@pytest.mark.parametrize("text", ["' OR 1=1 --", "\"; DROP TABLE tickets; --", "%", "_", "\\"])
def test_texts_are_texts_to_the_database(desk, text):
    anna = desk.api("anna")
    for parameter in ("tag", "category", "mailbox"):
        assert anna.get("/tickets", **{parameter: text}).json["total"] == 0
    assert anna.get("/users", q=text).json["total"] == 0
    made = anna.post("/tickets", {"title": text, "description": text, "tags": [text]})
    assert made.status == 201 and made.json["title"] == text
    assert [t["id"] for t in anna.get("/tickets", tag=text).json["items"]] == [made.json["id"]]


def test_a_title_breaks_out_of_no_mail(desk):
    title = "Hello\r\nBcc: dave@customer.test\r\n\r\nI am a body"
    made = desk.api("carol").post("/tickets", {"title": title, "description": "x"}).json
    with desk.mailbox("carol") as box:
        mail = box.wait_mail("the acknowledgement", lambda m: f"[#{made['id']}]" in m["Subject"])
    assert mail["Bcc"] is None and "Bcc: dave" in mail["Subject"]


def test_requests_in_requests_are_not_served(desk):
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    start = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for lengths in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                    b"Content-Length: 2\r\nContent-Length: %d\r\n" % (len(inner) + 2),
                    b"Transfer-Encoding: chunked, identity\r\n",
                    b"Content-Length : 2\r\n"):
        answer = raw(desk, start + lengths + b"\r\n0\r\n\r\n" + inner)
        assert b'"mailboxes"' not in answer, lengths
        assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0], answer


def test_large_things_are_refused(desk):
    host, port = address_of(desk)
    c = http.client.HTTPConnection(host, port, timeout=20)
    c.request("POST", "/api/v1/auth/token", b" " * (10 << 20),
              {"Content-Type": "application/json"})
    answer = c.getresponse()
    assert answer.status == 413 and json.loads(answer.read())["code"] == "too_large"
    many = b"".join(b"X-%d: y\r\n" % i for i in range(100_000))
    for fields in (b"X: " + b"y" * 20_000 + b"\r\n", many):
        answer = raw(desk, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n")
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431 "), answer[:200]


def test_slow_and_mad_clients_hinder_nobody(desk):
    """Row 20 of the fault matrix."""
    rng = random.Random(20)
    with contextlib.ExitStack() as stack:
        for i in range(500):
            s = stack.enter_context(connect(desk))
            s.sendall((b"", b"GET /healthz HT", b"POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\n"
                       b"Content-Length: 900000\r\n\r\n{")[i % 3])
        for _ in range(100):
            raw(desk, rng.randbytes(2000) + b"\r\n\r\n")
        anna, times = desk.api("anna"), []
        for _ in range(200):
            began = time.monotonic()
            assert anna.get("/tickets").status == 200
            times.append(time.monotonic() - began)
        assert statistics.quantiles(times, n=100)[98] < 1, times
    assert desk.api().request("GET", "//readyz").status == 200


def test_a_signed_in_person_is_slowed_down(start_world):
    world = start_world(fragment="limits { user_per_minute = 5  anonymous_per_minute = 30\n"
                                 "\tlogin_per_minute = 3 }\n")
    anna = world.api("anna")
    answers = [anna.get("/tickets") for _ in range(6)]
    assert [a.status for a in answers] == [200] * 5 + [429]
    assert answers[0].headers["RateLimit-Limit"] == "5"
    assert int(answers[-1].headers["Retry-After"]) <= 12
    wrong = {"email": "bob@desk.test", "password": "guess"}
    assert [world.api().post("/auth/token", wrong).status for _ in range(4)] == [401] * 3 + [429]
    assert world.api().request("GET", "//healthz").status == 200
