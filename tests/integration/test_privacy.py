"""What is known of a person, two that are one, forgetting, and what is kept only for a while."""
import base64
import contextlib
import json
import pathlib
import sqlite3
import subprocess

import pytest

import lib

DESK = 'retention { closed = "3y" action = "anonymise" }\n'


def write(desk, name, subject, body, **headers):
    return desk.send(lib.new_mail(f"{name.title()} <{desk.address(name)}>", desk.address("support"),
                                  subject, body, **headers), login=name)


def user_of(api, address):
    users = api.get("/users", q=address).json["items"]
    return next((u for u in users if u["email"] == address), None)


def command(desk, *args):
    return subprocess.run([lib.MAILDESK, *args, "--config", desk["config"]], text=True,
                          capture_output=True, timeout=lib.PATIENCE)


def rows_with(desk, words):
    """Where in the tables of an SQLite desk these words stand."""
    path = next(desk.dir.rglob("*.db"))
    found = []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
                  if not t.startswith(("sqlite_", "search"))]
        for table in tables:
            for row in db.execute(f"SELECT * FROM {table}"):
                text = " ".join(str(v) for v in row).lower()
                found += [(table, w, row) for w in words if w.lower() in text]
    return found


def test_addresses(desk):
    admin = desk.api("admin")
    carol = user_of(admin, "carol@customer.test")
    path = f"/users/{carol['id']}/addresses"
    answer = admin.post(path, {"address": "Carol.Private@Else.test"})
    assert answer.status == 201, answer.body
    assert answer.json["addresses"] == ["carol.private@else.test", "carol@customer.test"]
    assert admin.post(path, {"address": "carol.private@else.test"}).status == 409
    assert admin.post(path, {"address": "dave@customer.test"}).status == 409
    assert admin.post(path, {"address": "no address"}).status == 422
    assert admin.request("DELETE", path, {"address": "carol@customer.test"}).status == 409
    assert admin.request("DELETE", path, {"address": "carol.private@else.test"}).status == 204
    assert admin.request("DELETE", path, {"address": "carol.private@else.test"}).status == 404
    assert admin.get(path).json["addresses"] == ["carol@customer.test"]
    assert admin.post("/users/999999/addresses", {"address": "x@y.test"}).status == 404
    for who in ("anna", "carol"):
        assert desk.api(who).get(path).status == 403


def test_an_export_has_it_all(desk):
    admin = desk.api("admin")
    mail = write(desk, "carol", "Export me", "Everything.\n")
    ticket = admin.wait_ticket("it", lambda t: t["title"] == "Export me")
    carol = user_of(admin, "carol@customer.test")
    answer = admin.get(f"/users/{carol['id']}/export")
    assert answer.status == 200 and answer.headers["Content-Disposition"].startswith("attachment")
    export = answer.json
    assert export["user"]["email"] == "carol@customer.test"
    assert ticket["id"] in [t["id"] for t in export["tickets"]]
    assert "Everything." in [c["body"].strip() for c in export["comments"]]
    mails = {m["message_id"]: m for m in export["messages"]}
    raw = base64.b64decode(mails[mail["Message-ID"].strip("<>")]["raw"])
    assert b"Everything." in raw
    assert desk.api("anna").get(f"/users/{carol['id']}/export").status == 403
    assert admin.get("/users/999999/export").status == 404


def test_two_who_are_one(desk):
    admin = desk.api("admin")
    for name in ("twin.a", "twin.b"):
        answer = admin.post("/users", {"email": f"{name}@else.test", "name": name,
                                       "role": "customer"})
        assert answer.status == 201
    a, b = (user_of(admin, f"twin.{x}@else.test")["id"] for x in "ab")
    made = admin.post("/tickets", {"title": "Of twin a", "description": "x", "requester": a,
                                   "cc": [b]}).json
    assert admin.post(f"/users/{a}/merge", {"into": a}).status == 422
    anna = user_of(admin, "anna@desk.test")["id"]
    assert admin.post(f"/users/{anna}/merge", {"into": a}).status == 422
    assert admin.post(f"/users/{a}/merge", {"into": "nobody@else.test"}).status == 422
    answer = admin.post(f"/users/{a}/merge", {"into": "twin.b@else.test"})
    assert answer.status == 200 and answer.json["id"] == b, answer.body
    now = admin.get(f"/tickets/{made['id']}").json
    assert now["requester"]["id"] == b and now["version"] > made["version"]
    assert [(p["user"], p["role"]) for p in now["participants"]] == [(b, "requester")]
    assert admin.get(f"/users/{b}/addresses").json["addresses"] == \
        ["twin.a@else.test", "twin.b@else.test"]
    gone = admin.get(f"/users/{a}").json
    assert gone["disabled"] and gone["email"].endswith("@merged.invalid")


def test_deleting_disables(desk):
    admin = desk.api("admin")
    answer = admin.post("/users", {"email": "short@else.test", "name": "Short", "role": "agent",
                                   "password": "correct horse battery"})
    number = answer.json["id"]
    short = lib.Api(desk["http"], {"email": "short@else.test", "password": "correct horse battery"})
    assert short.get("/auth/me").status == 200
    assert admin.request("DELETE", f"/users/{number}").status == 204
    assert short.get("/auth/me").status == 401
    assert admin.get(f"/users/{number}").json["disabled"]
    me = user_of(admin, "admin@desk.test")["id"]
    assert admin.request("DELETE", f"/users/{me}").status == 409
    assert admin.post(f"/users/{me}/erase", {}).status == 409


def test_a_person_is_forgotten(desk):
    """Nothing of Dave's name, address and words is left, and everything has its shape."""
    admin, dave_himself = desk.api("admin"), desk.api("dave")
    mail = lib.new_mail("Dave Zweifelsohne <dave@customer.test>", "support@desk.test",
                        "Fragwuerdiges", "Meine Kreditkarte ist xyzzy.\n")
    mail.add_attachment(b"plugh", maintype="application", subtype="octet-stream",
                        filename="geheimnis.bin")
    desk.send(mail, login="dave")
    ticket = admin.wait_ticket("it", lambda t: t["title"] == "Fragwuerdiges")["id"]
    ack = desk.mailbox("dave").wait_mail("the acknowledgement",
                                         lambda m: f"[#{ticket}]" in m["Subject"])
    desk.send(lib.reply_to(ack, "Dave <dave@customer.test>", "Noch mehr xyzzy."), login="dave")
    lib.wait_for("the second", lambda: len(admin.comments(ticket)) == 2)
    assert admin.post(f"/tickets/{ticket}/comments", {"body": "We look at it."}).status == 201
    lib.wait_for("all is sent", lambda: all(
        m["state"] == "sent" for m in admin.get("/messages", ticket=ticket, direction="out",
                                                per_page=100).json["items"]))
    dave = user_of(admin, "dave@customer.test")
    before = admin.comments(ticket)
    attached = before[0]["attachments"][0]["id"]
    history = admin.get(f"/tickets/{ticket}/history", per_page=100).json["items"]
    messages = admin.get("/messages", ticket=ticket, per_page=100).json["items"]

    answer = admin.post(f"/users/{dave['id']}/erase", {})
    assert answer.status == 202, answer.body
    assert answer.json["name"] == f"Erased user {dave['id']}" and answer.json["erased_at"]
    assert dave_himself.get("/auth/me").status == 401
    after = admin.comments(ticket)
    assert [c["id"] for c in after] == [c["id"] for c in before]
    assert [c["author"]["name"] for c in after] == [answer.json["name"]] * 2 + ["Admin"]
    assert [c["body"] for c in after] == ["[erased]"] * 2 + ["We look at it."]
    assert admin.get(f"/attachments/{attached}").status == 404
    now = admin.get(f"/tickets/{ticket}/history", per_page=100).json["items"]
    assert [(h["id"], h["action"], h["at"]) for h in now] == \
        [(h["id"], h["action"], h["at"]) for h in history]
    for m in messages:
        assert admin.get(f"/messages/{m['id']}").status == 200
        if m["direction"] == "in":
            assert admin.get(f"/messages/{m['id']}/raw").status == 404
    lib.wait_for("the index forgets", lambda: not admin.get("/search", q="xyzzy").json["items"])
    if "postgres" not in open(desk["config"]).read():
        assert rows_with(desk, ["xyzzy", "zweifelsohne", "dave@customer.test", "fragwuerdiges",
                                "geheimnis"]) == []
    # Who writes from there is somebody new.
    write(desk, "dave", "Here I am again", "Hello\n")
    again = admin.wait_ticket("a new one", lambda t: t["title"] == "Here I am again")
    assert again["requester"]["id"] != dave["id"]


def test_erase_by_command(desk):
    admin = desk.api("admin")
    admin.post("/users", {"email": "gone@else.test", "name": "Gone", "role": "customer"})
    assert command(desk, "erase", "gone@else.test").returncode == 64
    done = command(desk, "erase", "gone@else.test", "--yes")
    assert done.returncode == 0 and "erased" in done.stdout, done.stderr
    assert user_of(admin, "gone@else.test") is None
    assert command(desk, "erase", "gone@else.test", "--yes").returncode == 67


def test_nothing_is_purged_too_early(desk):
    admin = desk.api("admin")
    made = admin.post("/tickets", {"title": "Deleted today", "description": "x"}).json
    assert admin.request("DELETE", f"/tickets/{made['id']}").status == 204
    done = command(desk, "purge", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"deleted_tickets": 0, "retention": {"closed": 0},
                                       "discarded_mails": 0, "uploads": 0}
    assert command(desk, "purge").returncode == 0
    assert admin.post(f"/tickets/{made['id']}/restore", {}).status == 200


def test_statuses_are_kept_for_a_while(desk, tmp_path):
    """Each rule by itself: how many first, then those and no others."""
    admin = desk.api("admin")
    made = {}
    for status in ("open", "in_progress", "resolved", "closed"):
        body = {"title": f"Kept while {status}", "description": "Of somebody", "assignee": "anna@desk.test"}
        ticket = admin.post("/tickets", body if status != "open" else body | {"assignee": None})
        assert ticket.status == 201, ticket.body
        made[status] = ticket.json["id"]
        for step in {"resolved": ["resolved"], "closed": ["resolved", "closed"]}.get(status, []):
            answer = admin.request("PATCH", f"/tickets/{made[status]}", {"status": step})
            assert answer.status == 200, answer.body
    rules = tmp_path / "rules.conf"
    whole = "".join(path.read_text() + "\n" for path in
                    [pathlib.Path(desk["config"]),
                     *sorted(pathlib.Path(desk["config"]).parent.glob("conf.d/*.conf"))])

    def purge(retention, *args):
        rules.write_text(f"{whole}\nretention {{ {retention} }}\n")
        done = subprocess.run([lib.MAILDESK, "purge", "--config", rules, *args], text=True,
                              capture_output=True, timeout=lib.PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def titles():
        got = {status: admin.get(f"/tickets/{number}") for status, number in made.items()}
        return {status: a.json["title"] if a.status == 200 else a.status
                for status, a in got.items()}

    before = titles()
    rule = "closed = 1h  resolved = 1ms  in_progress = 1ms  pending = 0"
    said = json.loads(purge(rule, "--dry-run", "--json"))["retention"]
    assert said["closed"] == said["pending"] == 0
    assert said["resolved"] >= 1 and said["in_progress"] >= 1
    assert f"resolved tickets: {said['resolved']}\n" in purge(rule, "--dry-run")
    assert titles() == before
    assert json.loads(purge(rule, "--json"))["retention"] == said
    assert titles() == before | {"resolved": "[erased]", "in_progress": "[erased]"}
    assert json.loads(purge(rule, "--json"))["retention"] == dict.fromkeys(said, 0)
    purge("action = delete  open = 1ms  in_progress = 0")
    assert titles() == before | {"open": 404, "resolved": "[erased]", "in_progress": "[erased]"}
