"""Idempotency-Key: what is asked twice is done once."""
import concurrent.futures
import sqlite3
import uuid

import pytest


def ask(api, path, body, key, **fields):
    return api.request("POST", path, body, {"Idempotency-Key": key, **fields})


def key():
    return str(uuid.uuid4())


def ticket_body(title="Twice"):
    return {"title": title, "description": "x"}


@pytest.fixture
def ticket(desk):
    return desk.api("anna").post("/tickets", ticket_body("One")).json


def same(first, second):
    assert (first.status, first.body) == (second.status, second.body)
    assert first.headers.get("Location") == second.headers.get("Location")
    assert first.headers.get("ETag") == second.headers.get("ETag")


def test_a_retry_gets_the_first_answer(desk):
    anna, k = desk.api("anna"), key()
    first = ask(anna, "/tickets", ticket_body(), k)
    assert first.status == 201 and first.headers["Location"]
    path = f"/tickets/{first.json['id']}"
    assert anna.patch(path, {"title": "Changed meanwhile"}).status == 200
    again = ask(desk.api("anna"), "/tickets", ticket_body(), k)  # another session of hers
    same(first, again)
    assert anna.get("/tickets", q="Changed").json["total"] <= 1


def test_each_way_of_making_something(desk, ticket):
    admin, name = desk.api("admin"), uuid.uuid4().hex
    path = f"/tickets/{ticket['id']}"
    for where, body in ((path + "/comments", {"body": "Hello"}),
                        (path + "/commands", {"text": f"#tag +{name[:8]}"}),
                        ("/tickets/bulk", {"ids": [ticket["id"]], "text": "#priority high"}),
                        (path + "/participants", {"user": f"{name}@x.test"}),
                        (path + "/watch", {}),
                        ("/teams", {"name": name}),
                        ("/api-keys", {"name": name, "scopes": ["tickets:read"]}),
                        ("/users", {"email": f"u{name}@x.test", "name": "U", "role": "customer",
                                    "password": "a long password"}),
                        ("/blocked-senders", {"domain": f"{name}.test"})):
        k = key()
        first = ask(admin, where, body, k)
        assert first.status in (200, 201), (where, first.body)
        same(first, ask(admin, where, body, k))
    assert len([c for c in admin.comments(ticket["id"]) if c["body"] == "Hello"]) == 1


def test_files_are_told_apart_by_their_bytes(desk):
    anna, k = desk.api("anna"), key()
    fields = {"Content-Type": "text/plain", "Content-Disposition": 'attachment; filename="a.txt"'}
    first = ask(anna, "/attachments", b"bytes", k, **fields)
    assert first.status == 201
    same(first, ask(anna, "/attachments", b"bytes", k, **fields))
    assert ask(anna, "/attachments", b"other", k, **fields).status == 422


def test_another_body_is_refused(desk):
    anna, k = desk.api("anna"), key()
    assert ask(anna, "/tickets", ticket_body(), k).status == 201
    other = ask(anna, "/tickets", ticket_body("Other"), k)
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")


def test_a_key_is_of_one_caller_and_route(desk, ticket):
    k = key()
    made = [ask(desk.api(name), "/tickets", ticket_body(), k) for name in ("anna", "bob", "carol")]
    assert [a.status for a in made] == [201] * 3 and len({a.json["id"] for a in made}) == 3
    said = ask(desk.api("anna"), f"/tickets/{ticket['id']}/comments", {"body": "x"}, k)
    assert said.status == 201


def test_errors_are_not_kept(desk):
    anna, k = desk.api("anna"), key()
    assert ask(anna, "/tickets", {"title": "x"}, k).status == 422
    assert ask(anna, "/tickets", ticket_body(), k).status == 201


@pytest.mark.parametrize("bad", ["", "a b", "x" * 256, "k\xe4y"])
def test_keys_that_are_none(desk, bad):
    answer = ask(desk.api("anna"), "/tickets", ticket_body(), bad)
    assert (answer.status, answer.json["code"]) == (400, "malformed")


def test_other_methods_do_not_care(desk, ticket):
    anna, k = desk.api("anna"), key()
    for title in ("a", "b"):
        answer = anna.request("PATCH", f"/tickets/{ticket['id']}", {"title": title},
                              {"Idempotency-Key": k})
        assert answer.json["title"] == title


def test_signing_in_twice(desk):
    """Also for nobody in particular; and no trace of the password or the token is on the disk."""
    account, k = desk.accounts["carol"], key()
    body = {"email": account["address"], "password": account["password"]}
    first = ask(desk.api(), "/auth/token", body, k)
    assert first.status == 200
    same(first, ask(desk.api(), "/auth/token", body, k))
    refresh = {"refresh_token": first.json["refresh_token"]}
    k = key()
    renewed = ask(desk.api(), "/auth/refresh", refresh, k)
    same(renewed, ask(desk.api(), "/auth/refresh", refresh, k))  # which ends no family
    assert desk.api().post("/auth/refresh",
                           {"refresh_token": renewed.json["refresh_token"]}).status == 200


def test_many_at_once_are_one(desk):
    anna, k, title = desk.api("anna"), key(), f"At once {uuid.uuid4().hex}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(anna, "/tickets", ticket_body(title), k), range(16)))
    done = [a for a in answers if a.status == 201]
    busy = [a for a in answers if a.status == 409]
    assert done and len(done) + len(busy) == 16
    assert all(int(a.headers["Retry-After"]) >= 1 and a.json["code"] == "conflict" for a in busy)
    assert len({a.body for a in done}) == 1
    assert len([t for t in anna.tickets() if t["title"] == title]) == 1


@pytest.mark.engine("sqlite")
def test_one_in_flight(desk):
    """One waits for the database; the other is told to come again."""
    anna, k = desk.api("anna"), key()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lock = sqlite3.connect(desk.dir / "state" / "desk.db", isolation_level=None, timeout=20)
        lock.execute("BEGIN IMMEDIATE")
        try:
            both = [pool.submit(ask, anna, "/tickets", ticket_body(), k) for _ in range(2)]
            done, (waits,) = concurrent.futures.wait(
                both, return_when=concurrent.futures.FIRST_COMPLETED)
            other = ask(anna, "/tickets", ticket_body("Other"), k)
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        busy, first = done.pop().result(), waits.result()
    assert (busy.status, busy.json["code"], busy.headers["Retry-After"]) == (409, "conflict", "1")
    assert other.status == 422 and first.status == 201
    same(first, ask(anna, "/tickets", ticket_body(), k))
