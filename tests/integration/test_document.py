"""The document of the API: a validator from npm finds nothing wrong with it, each answer that it
names is given, as it says, and a client made of it alone works."""
import contextlib
import http.client
import json
import pathlib
import re
import subprocess
import urllib.parse
import uuid

import pytest

from lib import Api, new_mail, wait_for
from test_auth import next_token

ROOT = pathlib.Path(__file__).parents[2]
BASE = "/api/v1"
# Not to be had here: what takes a full disk or a database that is away (tests/faults), a crowd, or
# two at once (test_retries.py).
DESK = 'http { max_upload = "64K" }\nwebhooks { allow_private = true }\ndesk { undo_send = "1h" }\n'
ELSEWHERE = {"429", "503", "507"}


@pytest.fixture(scope="module")
def client():
    subprocess.run(["make", "-s", "-C", ROOT, "client"], check=True, timeout=300)
    return ROOT / "build" / "client"


@pytest.fixture(scope="module")
def document(desk):
    return desk.api().get("/openapi.json").json


class Recorder(Api):
    """Remembers every answer, by the path of the document that it is of."""

    def __init__(self, desk, document, answers, name=None):
        self.patterns = [(re.compile(re.sub(r"\{[a-z]+\}", "[^/]+", path)), path)
                         for path in sorted(document["paths"], key=lambda p: p.count("{"))]
        self.answers, self.name = answers, name
        super().__init__(desk["http"])
        self.token = desk.api(name).token if name else None

    def request(self, method, path, body=None, headers=None):
        answer = super().request(method, path, body, headers)
        whole = path[1:] if path.startswith("//") else BASE + path
        named = next((p for r, p in self.patterns if r.fullmatch(whole.partition("?")[0])), None)
        kind = (answer.headers.get("Content-Type") or "").partition(";")[0]
        body = answer.json if answer.body and kind.endswith("json") else \
            answer.body.decode(errors="replace") or None
        self.answers.append({"method": method, "path": named, "status": answer.status,
                             "type": kind, "body": body, "location": answer.headers.get("Location")})
        return answer

    def watch(self):
        """The head of an answer that does not end."""
        where = urllib.parse.urlsplit(self.base)
        with contextlib.closing(http.client.HTTPConnection(where.hostname, where.port, timeout=60)) as c:
            c.request("GET", BASE + "/events", headers={"Authorization": f"Bearer {self.token}"})
            answer = c.getresponse()
            kind = answer.headers["Content-Type"].partition(";")[0]
            self.answers.append({"method": "GET", "path": BASE + "/events", "status": answer.status,
                                 "type": kind, "body": answer.readline().decode()})

    def ok(self, method, path, body=None, headers=None, status=None):
        answer = self.request(method, path, body, headers)
        assert answer.status in ((status,) if status else (200, 201, 202, 204)), \
            (method, path, answer.status, answer.body)
        kind = answer.headers.get("Content-Type") or ""
        return answer.json if answer.body and "json" in kind else None


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def fill(path, number="1"):
    path = re.sub(r"\{[a-z]+\}", number, path.replace("{name}", "support" if number == "1" else "none"))
    return path.removeprefix(BASE) if path.startswith(BASE) else "/" + path


def ask_everything_wrongly(document, nobody, keys, admin):
    """Each problem that does not take a state of its own."""
    for method, path, operation in operations(document):
        named, where = operation["responses"], fill(path)
        body = None if method == "GET" else {}
        if "401" in named:
            nobody.request(method, where, smallest(operation))
        if "404" in named:
            admin.request(method, fill(path, "999999999"), smallest(operation))
        if "400" in named and method == "GET":
            admin.request(method, where + "?nonsense=1")
        elif "400" in named and "415" in named:
            admin.request(method, fill_real(where), b"{")
        elif "400" in named:
            admin.request(method, fill_real(where), body, {"Idempotency-Key": "a b"})
        if "415" in named:
            admin.request(method, fill_real(where), b"<a/>", {"Content-Type": "text/xml"})
        if "413" in named and "415" in named:
            admin.request(method, where, b" " * (2 << 20), {"Content-Type": "application/json"})
        if "422" in named and "415" in named:
            admin.request(method, fill_real(where), {"nonsense": 1})
        if "409" in named and method == "PATCH":
            body = {} if where == "/auth/me" else smallest(operation)  # it has no old_password
            admin.request(method, fill_real(where), body, {"If-Match": '"no"'})
        for key in keys if "403" in named else ():
            if (where == "/events" and key.name != "tickets:write") or \
                    (where == "/auth/sessions" and key.name == "carol"):
                continue  # they may: that would not end, and this end those of the others
            key.request(method, fill(path, "999999999"), smallest(operation))


REAL = {}  # ids of what is there, by path
# Every scope will do: there is no key that it is refused to.
NOT_GIVEN = {f"GET {BASE}/auth/me 403"}


def fill_real(where):
    """With ids of what is there: a body is looked at after that was found."""
    for prefix, number in REAL.items():
        if where.startswith(prefix + "/1"):
            return where.replace("/1", f"/{number}", 1)
    return where


def smallest(operation):
    """A body with what is required."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if not schema:
        return b"x" if content else None
    values = {"integer": 1, "boolean": True, "string": "x", "array": [], "object": {}}
    texts = {"email": "x@x.test", "token": "x" * 43, "refresh_token": "x" * 43,
             "address": "y@x.test",
             "password": "a long enough password"}
    return {name: texts.get(name) or values.get(first(schema["properties"][name].get("type")), "x")
            for name in schema["required"] or texts.keys() & schema["properties"].keys()}


def first(kind):
    return kind[0] if isinstance(kind, list) else kind


def use_tickets(desk, anna, bob, admin, carol):
    ok = anna.ok
    made = [ok("POST", "/tickets", {"title": f"Number {i}", "description": "x"})["id"]
            for i in range(3)]
    path = f"/tickets/{made[0]}"
    REAL.update({"/tickets": made[0]})
    ok("GET", "/tickets?per_page=1"), ok("GET", "/tickets?cursor=&per_page=1")
    etag = anna.request("GET", path).headers["ETag"]
    ok("GET", path, headers={"If-None-Match": etag}, status=304)
    ok("PATCH", path, {"priority": "high"})
    version = ok("GET", path)["version"]
    whole = {"title": "Whole", "status": "open", "priority": "low"}
    ok("PUT", path, {**whole, "version": version})
    assert anna.ok("PUT", path, whole, status=422)["errors"][0]["field"] == "version"
    ok("PUT", path, whole, {"If-Match": anna.request("GET", path).headers["ETag"]})
    for method, body in (("PATCH", {"title": "x"}), ("PUT", {"title": "x", "status": "open",
                                                              "priority": "low"})):
        anna.ok(method, path, {**body, "version": 999}, status=409)
    ok("PATCH", path, {"status": "resolved"}, status=400)
    upload = ok("POST", "/attachments", b"bytes", {"Content-Type": "text/plain",
                                                   "Content-Disposition": 'attachment; filename="a.txt"'})
    REAL["/attachments"] = upload["id"]
    anna.ok("POST", "/attachments", b"", {"Content-Type": "text/plain"}, status=422)
    anna.ok("POST", "/attachments", b"x" * (80 << 10), {"Content-Type": "text/plain"}, status=413)
    comment = ok("POST", path + "/comments", {"body": "Hello", "attachments": [upload["id"]]})
    REAL["/comments"] = comment["id"]
    where = f"/attachments/{upload['id']}"
    ok("GET", where)
    ok("GET", where, headers={"Range": "bytes=1-2"}, status=206)
    ok("GET", where, headers={"Range": "bytes=9-"}, status=416)
    ok("GET", where, headers={"If-None-Match": anna.request("GET", where).headers["ETag"]},
       status=304)
    ok("GET", f"/comments/{comment['id']}")
    ok("PATCH", f"/comments/{comment['id']}", {"body": "Better"})
    for part in ("comments", "history", "sla", "messages", "participants", "links", "viewing"):
        ok("GET", f"{path}/{part}")
    ok("PUT", path + "/viewing", {})
    ok("POST", path + "/commands", {"text": "#take\n#help\n#list\n#show"})
    ok("POST", "/tickets/bulk", {"ids": made[:2], "text": "#priority high"})
    ok("POST", path + "/watch", {})
    ok("POST", path + "/mute", {"muted": True})
    person = ok("POST", path + "/participants", {"user": f"{uuid.uuid4().hex}@x.test"})
    ok("DELETE", f"{path}/participants/{person['user']}")
    ok("POST", path + "/links", {"type": "relates", "ticket": made[1]})
    ok("DELETE", path + "/links", {"type": "relates", "ticket": made[1]})
    ok("POST", f"/tickets/{made[2]}/merge", {"into": made[1]})
    ok("POST", f"/tickets/{made[2]}/unmerge", {})
    ok("PATCH", f"/comments/{comment['id']}", {"body": "x", "version": 999}, status=409)
    second = ok("POST", path + "/comments", {"body": "Something else"})
    ok("POST", path + "/split", {"comment": second["id"]})
    third = ok("POST", path + "/comments", {"body": "Gone"})
    ok("DELETE", f"/comments/{third['id']}")
    admin.ok("DELETE", f"/tickets/{made[2]}")
    admin.ok("POST", f"/tickets/{made[2]}/restore", {})
    ok("GET", "/search?q=Whole")
    return made


def use_catalogues(admin):
    name = uuid.uuid4().hex
    for path, body in (("/teams", {"name": name}), ("/organisations", {"name": name}),
                       ("/tags", {"name": name}), ("/canned-replies", {"name": name, "body": "x"}),
                       ("/saved-views", {"name": name, "query": "status=open"})):
        one = admin.ok("POST", path, body)["id"]
        REAL[path] = admin.ok("POST", path, {**body, "name": name + "2"})["id"]
        admin.ok("GET", path), admin.ok("GET", f"{path}/{one}")
        admin.ok("PATCH", f"{path}/{one}", {"name": name + "3"})
        admin.ok("DELETE", f"{path}/{one}")
    key = admin.ok("POST", "/api-keys", {"name": name, "scopes": ["tickets:read"]})
    path = f"/api-keys/{key['id']}"
    REAL["/api-keys"] = admin.ok("POST", "/api-keys", {"name": name, "scopes": ["admin"]})["id"]
    admin.ok("GET", "/api-keys"), admin.ok("GET", path)
    admin.ok("PATCH", path, {"name": name + "2"}), admin.ok("DELETE", path)


def use_webhooks(admin):
    body = {"url": "http://127.0.0.1:9/", "events": ["ticket.created"]}
    one, other = (admin.ok("POST", "/webhooks", body)["id"] for _ in range(2))
    REAL["/webhooks"] = other
    admin.ok("GET", "/webhooks"), admin.ok("GET", f"/webhooks/{one}")
    admin.ok("PATCH", f"/webhooks/{one}", {"active": False})
    admin.ok("POST", f"/webhooks/{other}/test")
    admin.ok("GET", f"/webhooks/{one}/deliveries")
    admin.ok("DELETE", f"/webhooks/{one}")


def use_what_takes_nothing(document, admin):
    """Lists and figures without a parameter that they need; what is done to a mailbox."""
    for method, path, operation in operations(document):
        needs = any(p.get("required") for p in operation["parameters"] if p["name"] != "name")
        if (method == "GET" and not needs and not path.endswith("/events")) or \
                path.startswith(BASE + "/mailboxes/"):
            admin.request(method, fill(path))


def use_people(desk, admin):
    name = uuid.uuid4().hex[:12]
    users = [admin.ok("POST", "/users", {"email": f"{name}{i}@x.test", "name": name,
                                         "role": "customer"})["id"] for i in range(3)]
    path = f"/users/{users[0]}"
    REAL["/users"] = users[0]
    admin.ok("GET", "/users"), admin.ok("GET", path)
    admin.ok("PATCH", path, {"name": "Other"})
    admin.ok("GET", path + "/addresses")
    admin.ok("POST", path + "/addresses", {"address": f"{name}more@x.test"})
    admin.ok("DELETE", path + "/addresses", {"address": f"{name}more@x.test"})
    admin.ok("GET", path + "/export")
    admin.ok("POST", f"/users/{users[1]}/merge", {"into": users[0]})
    admin.ok("POST", f"/users/{users[2]}/erase")
    admin.ok("DELETE", path)


def use_account(desk, nobody, recorder):
    account = desk.accounts["dave"]
    body = {"email": account["address"], "password": account["password"]}
    token = nobody.ok("POST", "/auth/token", body)
    renewed = nobody.ok("POST", "/auth/refresh", {"refresh_token": token["refresh_token"]})
    dave = recorder("dave")
    dave.ok("GET", "/auth/me"), dave.ok("PATCH", "/auth/me", {"name": "Dave"})
    sessions = dave.ok("GET", "/auth/sessions")["items"]
    other = next(s for s in sessions if not s["current"])
    dave.ok("DELETE", f"/auth/sessions/{other['id']}")
    dave.ok("POST", "/auth/otp", {})
    dave.ok("DELETE", "/auth/otp", {"otp": "123456"})  # it was not confirmed
    dave.ok("DELETE", "/auth/otp", {"otp": "123456"}, status=409)
    dave.ok("DELETE", "/auth/sessions")
    nobody.ok("DELETE", "/auth/sessions", status=401)
    nobody.ok("POST", "/auth/logout", {"refresh_token": renewed["refresh_token"]})


def use_links(desk, nobody):
    """Of carol, whose mailbox gets them."""
    email, new = desk.accounts["carol"]["address"], "carol+document@customer.test"
    token = next_token(desk, "carol", "sign-in",
                       lambda: nobody.ok("POST", "/auth/link", {"email": email}))
    nobody.ok("POST", "/auth/link/use", {"token": token})
    body = {"email": new, "password": "a long enough password", "name": "New"}
    token = next_token(desk, "carol", "verify",
                       lambda: nobody.ok("POST", "/auth/register", body))
    nobody.ok("POST", "/auth/verify", {"token": token})
    token = next_token(desk, "carol", "reset",
                       lambda: nobody.ok("POST", "/auth/password/forgot", {"email": new}))
    nobody.ok("POST", "/auth/password/reset", {"token": token, "password": "another long one"})


def use_outbox(desk, anna, ticket):
    """Of a reply that may be taken back for an hour."""
    for how in "retry", "cancel":
        anna.ok("POST", f"/tickets/{ticket}/comments", {"body": f"To {how}"})
        mail = wait_for("its mail", lambda: [
            m for m in anna.ok("GET", f"/outbox?ticket={ticket}&state=queued")["items"]])[0]
        anna.ok("POST", f"/outbox/{mail['id']}/{how}")


def use_approvals(desk, anna, ticket):
    """What came without a proof waits: an agent's words, and whom a participant brings along."""
    tag = f"Re: [#{ticket}] x"
    desk.send(new_mail("Anna <anna@desk.test>", "support@desk.test", tag, "Is it me?"))
    held = wait_for("it is held", lambda: [c for c in anna.ok(
        "GET", f"/tickets/{ticket}/comments?per_page=100")["items"] if c["held"]])[0]
    anna.ok("POST", f"/comments/{held['id']}/approve")
    desk.send(new_mail("Carol <carol@customer.test>", "support@desk.test", tag, "Erin, too",
                       Cc="erin@customer.test"))
    waits = wait_for("she waits", lambda: [p for p in anna.ok(
        "GET", f"/tickets/{ticket}/participants?per_page=100")["items"] if p["pending"]])[0]
    anna.ok("POST", f"/tickets/{ticket}/participants/{waits['user']}/approve")


def use_mails(desk, anna, admin):
    subject = f"Mail {uuid.uuid4().hex}"
    desk.send(new_mail("Carol <carol@customer.test>", "support@desk.test", subject, "Hello"))
    ticket = desk.api("anna").wait_ticket("the mail's ticket", lambda t: t["title"] == subject)
    mails = anna.ok("GET", f"/messages?ticket={ticket['id']}")["items"]
    mail = next(m for m in mails if m["direction"] == "in")
    REAL["/messages"] = mail["id"]
    anna.ok("GET", f"/messages/{mail['id']}"), anna.ok("GET", f"/messages/{mail['id']}/decision")
    anna.ok("GET", f"/messages/{mail['id']}/raw")
    anna.ok("GET", f"/messages/{mail['id']}/raw", headers={"Range": "bytes=0-3"}, status=206)
    anna.ok("GET", f"/messages/{mail['id']}/raw", headers={"Range": "bytes=9999999-"}, status=416)
    anna.ok("GET", f"/tickets/{ticket['id']}/messages")
    out = wait_for("an answer to it", lambda: anna.ok(
        "GET", f"/outbox?ticket={ticket['id']}")["items"])[0]
    REAL["/outbox"] = out["id"]
    anna.ok("GET", "/outbox"), anna.ok("GET", f"/outbox/{out['id']}")
    use_outbox(desk, anna, ticket["id"])
    use_approvals(desk, anna, ticket["id"])
    # blocked senders' mail is held back
    blocked = anna.ok("POST", "/blocked-senders", {"address": "dave@customer.test"})
    anna.ok("GET", "/blocked-senders")
    held = []
    for i in range(4):
        desk.send(new_mail("Dave <dave@customer.test>", "support@desk.test", f"Held {i}", "Hello"))
        held = wait_for("it is held back", lambda n=i: (
            lambda items: items if len(items) > n else None)(
                anna.ok("GET", "/quarantine")["items"]))
    anna.ok("GET", f"/quarantine/{held[0]['id']}")
    anna.ok("POST", f"/quarantine/{held[0]['id']}/release")
    anna.ok("POST", f"/quarantine/{held[1]['id']}/block")
    anna.ok("DELETE", f"/quarantine/{held[2]['id']}")
    REAL["/quarantine"] = held[3]["id"]
    anna.ok("DELETE", f"/blocked-senders/{blocked['id']}")


def use_desk(nobody, anna, admin):
    nobody.ok("POST", "/auth/logout", {}, status=401)
    anna.watch()
    for path in ("//healthz", "//readyz", "//metrics", "/openapi.json"):
        nobody.ok("GET", path)
    admin.ok("GET", "/mailboxes"), anna.ok("GET", "/dashboard")


def test_a_validator_finds_nothing_wrong(desk, document, client, tmp_path):
    """Nor with any answer; every one that is named for a route was given, but where it says why not."""
    answers = []

    def recorder(name=None):
        return Recorder(desk, document, answers, name)
    nobody, anna, bob, admin, carol = map(recorder, (None, "anna", "bob", "admin", "carol"))
    use_tickets(desk, anna, bob, admin, carol)
    use_catalogues(admin)
    use_webhooks(admin)
    use_what_takes_nothing(document, admin)
    use_people(desk, admin)
    use_account(desk, nobody, recorder)
    use_links(desk, nobody)
    use_mails(desk, anna, admin)
    use_desk(nobody, anna, admin)
    use_conditions(document, admin, anna)
    ask_everything_wrongly(document, nobody, [carol, *weak_keys(admin, recorder)], admin)
    (tmp_path / "document.json").write_text(json.dumps(document))
    (tmp_path / "answers.json").write_text(json.dumps(
        [a for a in answers if a["path"] and a["status"] != 405]))
    done = subprocess.run(["node", client / "check.mjs", tmp_path / "document.json",
                           tmp_path / "answers.json"], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    given = {(a["method"], a["path"], str(a["status"])) for a in answers}
    missing = [f"{m} {p} {status}" for m, p, o in operations(document) for status in o["responses"]
               if (m, p, status) not in given and not is_given_elsewhere(m, p, status, o)]
    assert not missing, "\n".join(missing)
    look_at_locations(document, admin, [a for a in answers if a["status"] == 201])


def look_at_locations(document, admin, made):
    """There is one where the document says so, and nowhere else; it leads to something."""
    for answer in made:
        headers = document["paths"][answer["path"]][answer["method"].lower()]["responses"]["201"].get("headers")
        assert bool(headers) == bool(answer["location"]), answer
        if answer["location"]:
            assert Api.request(admin, "GET", answer["location"].removeprefix(BASE)).status in (200, 404), answer


def weak_keys(admin, recorder):
    """Each lacks what the other has."""
    for scope in ("tickets:read", "tickets:write", "admin"):
        key = recorder()
        key.name = scope
        key.token = admin.ok("POST", "/api-keys", {"name": "weak", "scopes": [scope]})["key"]
        yield key


def is_given_elsewhere(method, path, status, operation):
    """What takes two requests at once, or a second one with the same key (test_retries.py), or
    registration to be off (test_auth.py)."""
    return (method in ("POST", "DELETE") and status == "409") or \
        (method == "POST" and status == "422" and "requestBody" not in operation) or \
        (status == "403" and not operation["security"]) or status in ELSEWHERE or \
        f"{method} {path} {status}" in NOT_GIVEN


def use_conditions(document, admin, anna):
    """304 of all that has an ETag."""
    for method, path, operation in operations(document):
        if "304" in operation["responses"]:
            where = fill_real(fill(path)) + ("?q=Whole" if path.endswith("/search") else "")
            tag = admin.request("GET", where).headers.get("ETag")
            for had in (tag, "*") if tag else ():  # what names the time is another one each time
                admin.request("GET", where, headers={"If-None-Match": had})


def whole_page(operation):
    content = operation["responses"].get("200", {}).get("content", {})
    return content.get("application/json", {}).get("schema", {}).get("properties", {})


def test_a_stranger_is_told_what_all_of_it_means(desk, document):
    """Each thing that can be sent or is answered, who may call, and how the API as a whole works."""
    untold = [f"{name}.{member}" for name, of in document["components"]["schemas"].items()
              for member, what in of.get("properties", {}).items() if not what.get("description")]
    for method, path, operation in operations(document):
        assert operation["summary"] and operation["tags"] and operation["description"].startswith("For ")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        sent = {p["name"]: p for p in operation["parameters"]}
        sent |= body.get("schema", {}).get("properties", {})
        sent |= whole_page(operation)
        untold += [f"{method} {path}: {name}" for name, of in sent.items() if not of.get("description")]
    assert not untold, "\n".join(untold)
    assert all(word in document["info"]["description"] for word in (
        "/auth/token", "Bearer", "problem+json", "cursor", "If-Match", "Idempotency-Key", "RateLimit-",
        "#help", "Last-Event-ID", "X-Maildesk-Signature"))
    admins = document["paths"]["/api/v1/users"]["post"]["description"]
    assert admins == "For admins. API keys: `admin`."
    account = desk.accounts["anna"]  # as one does who has read that and no more
    example = document["paths"]["/api/v1/tickets"]["post"]["requestBody"]["content"]["application/json"]["example"]
    anna = Api(desk["http"], {"email": account["address"], "password": account["password"]})
    made = anna.post("/tickets", example)
    assert made.status == 201 and made.json["title"] == example["title"]


def test_a_client_made_of_the_document_works(desk, document, client):
    account = desk.accounts["anna"]
    done = subprocess.run(["node", client / "client.mjs", desk["http"], account["address"],
                           account["password"]], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list(operations(document)))
