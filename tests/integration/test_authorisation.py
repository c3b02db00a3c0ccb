"""Who may do what: every route, for an admin, an agent, a customer, another customer and nobody.

The table is written from the specification of roles and routes (README, maildesk-api(7)) and not from
the code: a route of the OpenAPI document that is not in it fails the test. Each cell is one request on
objects made for it; those who may not come first, so that nothing is left for a second caller to miss.

    +   may: neither 401, 403 nor 404
    1   401, not signed in        3   403, not for this role        4   404, as if it were not there
    x   403 or 404
"""
import http.client
import itertools
import json
import re
import urllib.parse

import pytest

import lib
from lib import new_mail, wait_for

CALLERS = ("nobody", "dave", "carol", "anna", "admin")

# The ticket is Carol's: she wrote its first comment (mine) and Anna a reply (reply) and a note (note),
# each with a file. Dave is another customer. `open` in a name: an object of its own for each call.
TABLE = """
#                                                       nobody dave carol anna admin
POST   /auth/token                                          +    +    +    +    +
POST   /auth/refresh                                        1    1    1    1    1   refreshed by a wrong token
POST   /auth/logout                                         1    +    +    +    +
POST   /auth/register                                       +    +    +    +    +
POST   /auth/verify                                         +    +    +    +    +
POST   /auth/password/forgot                                +    +    +    +    +
POST   /auth/password/reset                                 +    +    +    +    +
POST   /auth/link                                           +    +    +    +    +
POST   /auth/link/use                                       +    +    +    +    +
GET    /auth/me                                             1    +    +    +    +
PATCH  /auth/me                                             1    +    +    +    +
GET    /auth/sessions                                       1    +    +    +    +
DELETE /auth/sessions/{carols_session}                      1    4    +    4    4
DELETE /auth/sessions                                       1    +    +    +    +
POST   /auth/otp                                            1    +    +    +    +
DELETE /auth/otp                                            1    +    +    +    +

GET    /tickets                                             1    +    +    +    +
POST   /tickets                                             1    +    +    +    +
POST   /tickets/bulk                                        1    3    3    +    +
GET    /search                                              1    +    +    +    +
GET    /events                                              1    +    +    +    +
GET    /tickets/{ticket}                                    1    4    +    +    +
PATCH  /tickets/{ticket}                                    1    4    +    +    +   {"title": "New"}
PATCH  /tickets/{ticket}                                    1    4    3    +    +   {"priority": "high"}
PATCH  /tickets/{ticket}                                    1    4    3    +    +   {"assignee": "anna@desk.test"}
PATCH  /tickets/{ticket}                                    1    4    3    +    +   {"tags": ["vip"]}
PATCH  /tickets/{ticket}                                    1    4    3    +    +   {"category": "x"}
PATCH  /tickets/{ticket}                                    1    4    3    +    +   {"requester": "dave@customer.test"}
PATCH  /tickets/{ticket}                                    1    4    3    +    +   {"snoozed_until": "2030-01-01T00:00:00Z"}
PATCH  /tickets/{ticket}                                    1    4    +    +    +   {"status": "closed"}
PUT    /tickets/{ticket}                                    1    4    3    +    +   {"title": "New", "status": "open", "priority": "low", "version": 99}
DELETE /tickets/{ticket}                                    1    4    +    3    +
GET    /tickets/{deleted}                                   1    4    4    4    +
PATCH  /tickets/{deleted}                                   1    4    4    4    +   {"title": "New"}
GET    /tickets/{deleted}/comments                          1    4    4    4    +
GET    /tickets/{deleted}/history                           1    4    4    4    +
POST   /tickets/{deleted}/restore                           1    4    4    4    +
POST   /tickets/{ticket}/watch                              1    4    +    +    +   {"watching": true}
POST   /tickets/{ticket}/mute                               1    4    +    +    +   {"muted": true}
POST   /tickets/{ticket}/merge                              1    4    3    +    +   {"into": "{ticket}"}
POST   /tickets/{merged}/unmerge                            1    4    3    +    +   {}
POST   /tickets/{ticket}/split                              1    4    3    +    +   {"comment": 1}
GET    /tickets/{ticket}/participants                       1    4    +    +    +
POST   /tickets/{ticket}/participants                       1    4    +    +    +   {"user": "bob@desk.test", "role": "cc"}
DELETE /tickets/{ticket}/participants/{bob}                 1    4    3    +    +
POST   /tickets/{ticket}/participants/{bob}/approve         1    4    3    +    +
GET    /tickets/{ticket}/links                              1    4    3    +    +
POST   /tickets/{ticket}/links                              1    4    3    +    +   {"type": "relates", "ticket": "{ticket}"}
DELETE /tickets/{linked}/links                              1    4    3    +    +   {"type": "relates", "ticket": "{other}"}
GET    /tickets/{ticket}/viewing                            1    4    3    +    +
PUT    /tickets/{ticket}/viewing                            1    4    3    +    +   {}
GET    /tickets/{ticket}/history                            1    4    +    +    +
GET    /tickets/{ticket}/sla                                1    4    +    +    +
GET    /tickets/{ticket}/messages                           1    4    +    +    +
POST   /tickets/{ticket}/commands                           1    4    +    +    +   {"text": "#status closed"}
GET    /tickets/{ticket}/comments                           1    4    +    +    +
POST   /tickets/{ticket}/comments                           1    4    +    +    +   {"body": "Hello"}
POST   /tickets/{ticket}/comments                           1    4    3    +    +   {"body": "Hello", "is_internal": true}
GET    /comments/{mine}                                     1    4    +    +    +
GET    /comments/{reply}                                    1    4    +    +    +
GET    /comments/{note}                                     1    4    4    +    +
PATCH  /comments/{mine}                                     1    4    +    3    3   {"body": "New"}
PATCH  /comments/{reply}                                    1    4    3    +    3   {"body": "New"}
PATCH  /comments/{note}                                     1    4    4    +    3   {"body": "New"}
DELETE /comments/{mine}                                     1    4    +    3    +
DELETE /comments/{reply}                                    1    4    3    +    +
DELETE /comments/{note}                                     1    4    4    +    +
POST   /comments/{reply}/approve                            1    4    3    +    +
POST   /comments/{note}/approve                             1    4    4    +    +

POST   /attachments                                         1    +    +    +    +
GET    /attachments/{file}                                  1    4    +    +    +
GET    /attachments/{note_file}                             1    4    4    +    +
GET    /attachments/{carols_upload}                         1    4    +    4    4

GET    /users                                               1    +    +    +    +
GET    /users/{carol}                                       1    4    +    +    +
GET    /users/{anna}                                        1    +    +    +    +
GET    /users/{carol}/tickets                               1    4    +    +    +
GET    /users/{carol}/comments                              1    4    +    +    +
POST   /users                                               1    3    3    3    +   {"email": "{fresh}@customer.test", "name": "N", "role": "admin"}
PATCH  /users/{somebody}                                    1    x    x    3    +   {"role": "admin"}
DELETE /users/{somebody}                                    1    x    x    3    +
GET    /users/{carol}/addresses                             1    x    x    3    +
POST   /users/{somebody}/addresses                          1    x    x    3    +   {"address": "{fresh}@customer.test"}
DELETE /users/{with_two}/addresses                          1    x    x    3    +   {"address": "{spare}@customer.test"}
POST   /users/{somebody}/merge                              1    x    x    3    +   {"into": "{somebody}"}
POST   /users/{somebody}/erase                              1    x    x    3    +
GET    /users/{carol}/export                                1    x    x    3    +

GET    /api-keys                                            1    3    3    3    +
POST   /api-keys                                            1    3    3    3    +   {"name": "{fresh}", "scopes": ["tickets:read"]}
GET    /api-keys/{key}                                      1    3    3    3    +
PATCH  /api-keys/{key}                                      1    3    3    3    +   {"name": "{fresh}"}
DELETE /api-keys/{key}                                      1    3    3    3    +
GET    /webhooks                                            1    3    3    3    +
POST   /webhooks                                            1    3    3    3    +   {"url": "https://example.com/x", "events": ["ticket.created"]}
GET    /webhooks/{webhook}                                  1    3    3    3    +
PATCH  /webhooks/{webhook}                                  1    3    3    3    +   {"active": false}
DELETE /webhooks/{webhook}                                  1    3    3    3    +
GET    /webhooks/{webhook}/deliveries                       1    3    3    3    +
POST   /webhooks/{webhook}/test                             1    3    3    3    +   {}
GET    /audit                                               1    3    3    3    +
GET    /teams                                               1    3    3    +    +
POST   /teams                                               1    3    3    3    +   {"name": "{fresh}"}
GET    /teams/{team}                                        1    3    3    +    +
PATCH  /teams/{team}                                        1    3    3    3    +   {"name": "{fresh}"}
DELETE /teams/{team}                                        1    3    3    3    +
GET    /organisations                                       1    3    3    +    +
POST   /organisations                                       1    3    3    3    +   {"name": "{fresh}"}
GET    /organisations/{organisation}                        1    3    3    +    +
PATCH  /organisations/{organisation}                        1    3    3    3    +   {"name": "{fresh}"}
DELETE /organisations/{organisation}                        1    3    3    3    +
GET    /tags                                                1    3    3    +    +
POST   /tags                                                1    3    3    3    +   {"name": "{fresh}", "color": "#112233"}
GET    /tags/{tag}                                          1    3    3    +    +
PATCH  /tags/{tag}                                          1    3    3    3    +   {"color": "#332211"}
DELETE /tags/{tag}                                          1    3    3    3    +
GET    /canned-replies                                      1    3    3    +    +
POST   /canned-replies                                      1    3    3    3    +   {"name": "{fresh}", "body": "B"}
GET    /canned-replies/{canned}                             1    3    3    +    +
PATCH  /canned-replies/{canned}                             1    3    3    3    +   {"body": "C"}
DELETE /canned-replies/{canned}                             1    3    3    3    +
GET    /saved-views                                         1    3    3    +    +
POST   /saved-views                                         1    3    3    +    +   {"name": "{fresh}", "query": "status=open"}
GET    /saved-views/{annas_view}                            1    3    3    +    4
PATCH  /saved-views/{annas_view}                            1    3    3    +    4   {"query": "status=closed"}
DELETE /saved-views/{annas_view}                            1    3    3    +    4
GET    /saved-views/{shared_view}                           1    3    3    +    +
PATCH  /saved-views/{shared_view}                           1    3    3    3    +   {"query": "status=closed"}
DELETE /saved-views/{shared_view}                           1    3    3    3    +

GET    /messages                                            1    3    3    +    +
GET    /messages/{message}                                  1    3    3    +    +
GET    /messages/{message}/raw                              1    3    3    +    +
GET    /messages/{message}/decision                         1    3    3    +    +
GET    /quarantine                                          1    3    3    +    +
GET    /quarantine/{held}                                   1    3    3    +    +
POST   /quarantine/{held_open}/release                      1    3    3    +    +
POST   /quarantine/{held_open}/block                        1    3    3    +    +
DELETE /quarantine/{held_open}                              1    3    3    +    +
GET    /blocked-senders                                     1    3    3    +    +
POST   /blocked-senders                                     1    3    3    +    +   {"address": "{fresh}@spam.test"}
DELETE /blocked-senders/{blocked}                           1    3    3    +    +
GET    /outbox                                              1    3    3    +    +
GET    /outbox/{outgoing}                                   1    3    3    +    +
POST   /outbox/{outgoing}/retry                             1    3    3    +    +
POST   /outbox/{outgoing}/cancel                            1    3    3    +    +
GET    /mailboxes                                           1    3    3    3    +
POST   /mailboxes/{mailbox}/poll                            1    3    3    3    +
POST   /mailboxes/{mailbox}/pause                           1    3    3    3    +
POST   /mailboxes/{mailbox}/resume                          1    3    3    3    +
GET    /dashboard                                           1    3    3    +    +
GET    /reports/sla                                         1    3    3    +    +
GET    /reports/volume                                      1    3    3    +    +
GET    /reports/agents                                      1    3    3    +    +
GET    /openapi.json                                        +    +    +    +    +

GET    //healthz                                            +    +    +    +    +
GET    //readyz                                             +    +    +    +    +
GET    //metrics                                            +    +    +    +    +
GET    //u/{word}                                           4    4    4    4    4   who has the link
POST   //u/{word}                                           4    4    4    4    4   who has the link
GET    //a/{word}                                           4    4    4    4    4   who has the link
"""
DESK = """\
rule "held" { match "subject" { pattern = "^hold" } action = "quarantine" }
"""


def rows():
    for line in TABLE.splitlines():
        if line and not line.startswith("#"):
            method, path, *rest = line.split(None, 7)
            yield method, path, rest[:5], rest[5] if len(rest) > 5 else None


def plain(path):
    """Paths of the table and of the document, made alike."""
    path = re.sub("{[^}]*}", "{}", path)
    return path.removeprefix("/api/v1") if path.startswith("/api/v1") else path.replace("//", "/", 1)


class Maker:
    """Objects for the table, by the names in its paths."""

    def __init__(self, desk):
        self.desk, self.count = desk, itertools.count()
        self.sign_in()
        self.ids = {u["email"].partition("@")[0]: u["id"] for u in
                    self.people["admin"].get("/users", per_page=100).json["items"]}
        self.held_pool, self.kept = [], {}

    def sign_in(self):
        self.people = {name: self.desk.api(None if name == "nobody" else name) for name in CALLERS}

    def by(self, who, method, path, body=None, **headers):
        answer = self.people[who].request(method, path, body, headers)
        assert answer.status < 300, (who, method, path, answer.status, answer.body)
        return answer.json if answer.body else None

    def fresh(self):
        return f"n{next(self.count)}"

    def upload(self, who):
        return self.people[who].request("POST", "/attachments", b"text", {
            "Content-Type": "text/plain",
            "Content-Disposition": 'attachment; filename="a.txt"'}).json["id"]

    def ticket(self):
        return self.by("carol", "POST", "/tickets", {"title": "T", "description": "D"})["id"]

    def whole(self):
        """A ticket with comments and files; the same one until it is used up."""
        ticket = self.ticket()
        comments = self.by("anna", "GET", f"/tickets/{ticket}/comments")["items"]
        made = {"mine": comments[0]["id"]}
        for name, is_internal in (("reply", False), ("note", True)):
            comment = self.by("anna", "POST", f"/tickets/{ticket}/comments", {
                "body": name, "is_internal": is_internal, "attachments": [self.upload("anna")]})
            made[name] = comment["id"]
            made["file" if name == "reply" else "note_file"] = comment["attachments"][0]["id"]
        return made

    def deleted(self):
        ticket = self.ticket()
        self.by("admin", "DELETE", f"/tickets/{ticket}")
        return ticket

    def merged(self):
        ticket = self.ticket()
        self.by("anna", "POST", f"/tickets/{ticket}/merge", {"into": self.ticket()})
        return ticket

    def linked(self):
        ticket, self.kept["other"] = self.ticket(), self.ticket()
        self.by("anna", "POST", f"/tickets/{ticket}/links", {"type": "relates",
                                                            "ticket": self.kept["other"]})
        return ticket

    def with_bob(self):
        ticket = self.ticket()
        self.by("anna", "POST", f"/tickets/{ticket}/participants",
                {"user": self.ids["bob"], "role": "cc"})
        return ticket

    def somebody(self):
        return self.by("admin", "POST", "/users", {
            "email": f"{self.fresh()}@customer.test", "name": "S", "role": "customer",
            "password": "a long password"})["id"]

    def with_two(self):
        """Somebody with two addresses."""
        person, self.kept["spare"] = self.somebody(), self.fresh()
        self.by("admin", "POST", f"/users/{person}/addresses",
                {"address": self.kept["spare"] + "@customer.test"})
        return person

    def catalogue(self, who, path, **body):
        return self.by(who, "POST", path, body)["id"]

    def mail(self, subject):
        self.desk.send(new_mail("carol@customer.test", "support@desk.test", subject, "Hello."),
                       login="carol")

    def quarantined(self):
        if not self.held_pool:
            known = {h["id"] for h in self.held()}
            for _ in range(10):
                self.mail("hold " + self.fresh())
            self.held_pool = wait_for("mails in quarantine", lambda: len(
                new := [h["id"] for h in self.held() if h["id"] not in known]) == 10 and new)
        return self.held_pool.pop()

    def held(self):
        return self.by("anna", "GET", "/quarantine?per_page=100")["items"]

    def message(self):
        self.mail("comes in")
        return wait_for("a message", lambda: next(
            (m["id"] for m in self.by("anna", "GET", "/messages?direction=in")["items"]
             if m["subject"] == "comes in"), None))

    def outgoing(self):
        self.ticket()
        return wait_for("an outgoing mail", lambda: next(
            (o["id"] for o in self.by("anna", "GET", "/outbox")["items"]), None))

    def carols_session(self):
        api = self.desk.api("carol")
        return next(s["id"] for s in api.get("/auth/sessions").json["items"] if s["current"])

    def make(self, name):
        """What stands for {name}. Names of one whole ticket are of the same one within a call."""
        whole = ("mine", "reply", "note", "file", "note_file")
        once = {"message": self.message, "outgoing": self.outgoing, "held": self.quarantined}
        if name in self.ids:
            return self.ids[name]
        if name in whole:
            if name not in self.kept:
                self.kept.update(self.whole())
            return self.kept[name]
        if name in once:
            if "once " + name not in self.kept:
                self.kept["once " + name] = once[name]()
            return self.kept["once " + name]
        if name in ("other", "spare"):
            return self.kept[name]
        return {
            "held_open": self.quarantined, "mailbox": lambda: "support",
            "word": lambda: "aeaqcaib" * 4, "fresh": self.fresh,
            "ticket": self.with_bob, "deleted": self.deleted, "merged": self.merged,
            "linked": self.linked, "with_two": self.with_two, "somebody": self.somebody,
            "carols_session": self.carols_session, "carols_upload": lambda: self.upload("carol"),
            "key": lambda: self.catalogue("admin", "/api-keys", name=self.fresh(),
                                          scopes=["tickets:read"]),
            "webhook": lambda: self.catalogue("admin", "/webhooks", url="https://example.com/x",
                                              events=["ticket.created"]),
            "team": lambda: self.catalogue("admin", "/teams", name=self.fresh()),
            "organisation": lambda: self.catalogue("admin", "/organisations", name=self.fresh()),
            "tag": lambda: self.catalogue("admin", "/tags", name=self.fresh(), color="#112233"),
            "canned": lambda: self.catalogue("admin", "/canned-replies", name=self.fresh(), body="B"),
            "annas_view": lambda: self.catalogue("anna", "/saved-views", name=self.fresh(),
                                                 query="status=open"),
            "shared_view": lambda: self.catalogue("admin", "/saved-views", name=self.fresh(),
                                                  query="status=open", shared=True),
            "blocked": lambda: self.catalogue("admin", "/blocked-senders",
                                              address=f"{self.fresh()}@spam.test"),
        }[name]()

    def fill(self, text):
        return re.sub("{([a-z_]+)}", lambda m: urllib.parse.quote(str(self.make(m[1]))), text)

    def forget(self):
        """The next whole ticket is a new one."""
        self.kept = {k: v for k, v in self.kept.items() if k.startswith("once ")}


@pytest.fixture(scope="module")
def maker(desk):
    return Maker(desk)


def status_of_stream(api, path):
    """Of an answer that does not end."""
    where = urllib.parse.urlsplit(api.base)
    with lib.contextlib.closing(http.client.HTTPConnection(where.hostname, where.port,
                                                           timeout=lib.PATIENCE)) as c:
        c.request("GET", "/api/v1" + path,
                  headers={"Authorization": f"Bearer {api.token}"} if api.token else {})
        return c.getresponse().status


def request(maker, caller, method, path, body):
    api = maker.people[caller]
    if path == "/events":
        return status_of_stream(api, path)
    path = maker.fill(path)
    if path == "/search":
        path += "?q=word"
    if body and body.startswith("{"):
        body = json.loads(re.sub('"{ticket}"', lambda _: str(maker.make("ticket")), re.sub(
            '"{(other|somebody)}"', lambda m: str(maker.make(m[1])), re.sub(
                "{(fresh|spare)}", lambda m: maker.make(m[1]), body))))
    elif method in ("POST", "PATCH", "PUT"):
        body = {}
    else:
        body = None
    return api.request(method, path, body).status


def fits(mark, status):
    return {"1": status == 401, "3": status == 403, "4": status == 404, "x": status in (403, 404),
            "+": status not in (401, 403, 404, 405) and status < 500}[mark]


def test_every_route_for_everybody(maker):
    document = maker.people["nobody"].get("/openapi.json").json["paths"]
    there = {(method.upper(), plain(path)) for path, methods in document.items()
             for method in methods if method in ("get", "post", "put", "patch", "delete")}
    table = list(rows())
    missing = there - {(method, plain(path)) for method, path, _, _ in table}
    assert not missing, f"in the document and not in the table: {sorted(missing)}"
    wrong = []
    for method, path, marks, body in table:
        if (method, plain(path)) not in there:
            continue  # of the specification, not there yet
        for caller, mark in zip(CALLERS, marks):
            maker.forget()
            status = request(maker, caller, method, path, body)
            if path in ("/auth/sessions", "/auth/logout"):
                maker.sign_in()
            if not fits(mark, status):
                wrong.append(f"{method} {path} {body or ''}: {caller} {status}, not {mark}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_nothing_inner_is_in_what_customers_read(maker):
    """Whatever a customer can get, of their own ticket and of another's, names no note and no stranger."""
    word, inner = f"w{maker.fresh()}seen", f"w{maker.fresh()}inner"
    ticket = maker.by("carol", "POST", "/tickets", {"title": word, "description": word})["id"]
    maker.by("anna", "POST", f"/tickets/{ticket}/comments", {
        "body": f"{inner} note", "is_internal": True, "attachments": [maker.upload("anna")]})
    maker.by("anna", "POST", f"/tickets/{ticket}/comments", {"body": f"{word} reply"})
    maker.by("anna", "PATCH", f"/tickets/{ticket}", {"tags": [inner]})
    maker.by("anna", "POST", f"/tickets/{ticket}/links", {"type": "relates",
                                                         "ticket": maker.ticket()})
    lib.wait_for("the note to be found by an agent", lambda: maker.by(
        "anna", "GET", f"/search?q={inner}")["items"])
    below = ("", "/comments", "/history", "/messages", "/sla", "/participants")
    paths = [f"/tickets/{ticket}{p}" for p in below] + [
        "/tickets?per_page=100&sort=-id", f"/tickets?q={inner}", f"/search?q={inner}",
        f"/search?q={word}", "/users?per_page=100",
        *(f"/users/{maker.ids['anna']}/{what}?per_page=100" for what in ("tickets", "comments"))]
    for who in ("carol", "dave"):
        for path in paths:
            answer = maker.people[who].request("GET", path)
            text = answer.body.decode()
            mine = path.startswith(f"/tickets/{ticket}")
            assert answer.status == (404 if mine and who == "dave" else 200), (who, path)
            assert f"{inner} note" not in text, (who, path)
            assert who == "carol" or word not in text, (who, path)
    assert maker.by("carol", "GET", f"/search?q={inner}")["items"] == [], "not even that it is there"
    assert [c["is_internal"] for c in maker.by("carol", "GET", f"/tickets/{ticket}/comments")["items"]
            ] == [False, False]
    wrote = {who: [c["body"] for c in maker.by(who, "GET", f"/users/{maker.ids['anna']}/comments")["items"]]
             for who in ("carol", "dave")}
    assert wrote["carol"][0] == f"{word} reply" and wrote["dave"] == []
    all_of_it = maker.by("admin", "GET", f"/users/{maker.ids['anna']}/comments")
    assert [c["body"] for c in all_of_it["items"][:2]] == [f"{word} reply", f"{inner} note"]
    assert all_of_it["items"][1]["attachments"] and all_of_it["total"] >= 2
    for who in ("carol", "admin"):
        mine = maker.by(who, "GET", f"/users/{maker.ids['carol']}/tickets?per_page=100")["items"]
        assert ticket in [t["id"] for t in mine]
        assert all(t["requester"]["id"] == maker.ids["carol"] for t in mine)
    people = maker.by("dave", "GET", "/users?per_page=100")["items"]
    assert maker.ids["carol"] not in [p["id"] for p in people]
    assert all("email" not in p or p["id"] == maker.ids["dave"] for p in people)
