"""The audit log: what admins did, what was refused, and whether anybody changed it."""
import contextlib
import json
import re
import subprocess

import pytest

import lib
from lib import execute, ok, wait_for

SECRETS = ("Erin", "erin@", "anna@desk.test", "127.0.0.1", "stranger@")


@pytest.fixture(scope="module")
def people(desk):
    return {name: desk.api(name) for name in ("admin", "anna", "carol")}


def rows(admin, **query):
    return ok(admin.get("/audit", per_page=100, **query))["items"]


def command(desk, *args, code=0):
    done = subprocess.run([lib.MAILDESK, *map(str, args), "--config", desk["config"]], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout


def test_what_admins_do_is_noted_without_names(desk, people):
    admin = people["admin"]
    me = ok(admin.get("/auth/me"))["id"]
    erin = ok(admin.post("/users", {"name": "Erin", "email": "erin@customer.test",
                                    "role": "customer"}), 201)["id"]
    ok(admin.patch(f"/users/{erin}", {"role": "agent"}))
    ok(admin.post(f"/users/{erin}/addresses", {"address": "erin2@customer.test"}), 201)
    ok(admin.get(f"/users/{erin}/export"))
    key = ok(admin.post("/api-keys", {"name": "k", "scopes": ["admin"]}), 201)["id"]
    assert admin.request("DELETE", f"/api-keys/{key}").status == 204
    hook = ok(admin.post("/webhooks", {"url": "https://example.com/", "events": ["ticket.created"],
                                       "active": False}), 201)["id"]
    team = ok(admin.post("/teams", {"name": "Erin's"}), 201)["id"]
    blocked = ok(admin.post("/blocked-senders", {"address": "stranger@spam.test"}), 201)["id"]
    assert admin.request("DELETE", f"/blocked-senders/{blocked}").status == 204
    ok(admin.post(f"/users/{erin}/erase", {}), 202)
    seen = [(r["action"], r["about"], r["about_id"]) for r in reversed(rows(admin, actor=me))]
    assert seen == [("user.add", "user", erin), ("user.change", "user", erin),
                    ("user.addresses.add", "user", erin), ("user.export", "user", erin),
                    ("api_key.add", "api_key", key), ("api_key.remove", "api_key", key),
                    ("webhook.add", "webhook", hook), ("team.add", "team", team),
                    ("blocked_sender.add", "blocked_sender", blocked),
                    ("blocked_sender.remove", "blocked_sender", blocked),
                    ("user.erase", "user", erin)]
    changed = rows(admin, action="user.change")[0]
    assert changed["detail"] == "role; role=agent" and changed["actor"]["role"] == "admin"
    assert changed["hash"] and changed["seq"] and changed["source"] == "api"
    with desk.db() as c:
        text = str([tuple(r) for r in c.execute("SELECT * FROM audit_log").fetchall()])
    assert not [s for s in SECRETS if s in text]
    assert rows(admin, about="team")[0]["about_id"] == team
    # what failed was not done
    before = len(rows(admin))
    assert admin.post("/users", {"name": "x", "email": "anna@desk.test",
                                 "role": "customer"}).status == 409
    assert len(rows(admin)) == before
    assert people["anna"].get("/audit").status == 403
    assert admin.get("/audit", colour="red").status == 400


def test_refusals_are_counted(desk, people):
    admin, anna = people["admin"], people["anna"]
    nobody = desk.api()
    for _ in range(3):
        for address in "anna@desk.test", "Stranger@nowhere.test":
            assert nobody.post("/auth/token", {"email": address, "password": "wrong wrong"}).status == 401
    for address in "anna@desk.test", "stranger@nowhere.test":
        seen = rows(admin, account=address, action="sign_in.refused")
        assert sum(r["count"] for r in seen) == 3 and len(seen) <= 2  # the minute may have changed
        assert seen[0]["actor"] is None and seen[0]["account"] and seen[0]["network"]
    assert anna.post("/teams", {"name": "x"}).status == 403
    assert anna.request("DELETE", "/users/1").status == 403
    mine = rows(admin, action="request.refused", actor=ok(anna.get("/auth/me"))["id"])
    assert sum(r["count"] for r in mine) == 2


def test_the_console_is_told_apart(desk, people):
    """As in a ticket's history: by how its token was got."""
    admin, account = people["admin"], desk.accounts["admin"]
    console = desk.api()
    sign_in = {"email": account["address"], "password": account["password"], "cookie": True}
    console.token = ok(console.post("/auth/token", sign_in))["access_token"]
    for api, source in (admin, "api"), (console, "console"):
        tag = ok(api.post("/tags", {"name": f"by {source}"}), 201)["id"]
        noted = rows(admin, about="tag", about_id=tag)
        assert [r["source"] for r in noted] == [source]
    bob = desk.api()
    bob.token = ok(bob.post("/auth/token", {"email": "bob@desk.test", "cookie": True,
                                            "password": desk.accounts["bob"]["password"]}))["access_token"]
    assert bob.post("/tags", {"name": "x"}).status == 403
    nobody = {"email": "nobody@console.test", "password": "wrong wrong", "cookie": True}
    assert desk.api().post("/auth/token", nobody).status == 401
    assert {r["source"] for r in rows(admin, account=nobody["email"])} == {"console"}
    assert rows(admin, action="request.refused", account="bob@desk.test")[0]["source"] == "console"


# ---- every deed of an admin, in the transaction that does it ----

class Deeds:
    """What they are done to, made once; `blocked` lets no row into the log meanwhile."""

    def __init__(self, world):
        self.world, self.admin = world, world.api("admin")
        post = lambda path, body: ok(self.admin.post(path, body), 201)["id"]
        people = [post("/users", {"name": f"N{i}", "email": f"n{i}@x.test", "role": "customer"})
                  for i in range(6)]
        self.made = {"user": people[0], "twin": people[1], "gone": people[2], "off": people[3],
                     "cli_gone": people[4], "two": people[5]}
        ok(self.admin.post(f"/users/{people[5]}/addresses", {"address": "more@x.test"}), 201)
        for name, path, body in (
                ("team", "/teams", {"name": "T"}), ("organisation", "/organisations", {"name": "O"}),
                ("tag", "/tags", {"name": "g"}), ("reply", "/canned-replies", {"name": "R", "body": "x"}),
                ("view", "/saved-views", {"name": "V", "query": "status=open"}),
                ("key", "/api-keys", {"name": "K", "scopes": ["tickets:read"]}),
                ("cli_key", "/api-keys", {"name": "K", "scopes": ["tickets:read"]}),
                ("hook", "/webhooks", {"url": "https://example.com/", "events": ["ticket.created"]}),
                ("blocked", "/blocked-senders", {"address": "dave@customer.test"}),
                ("cli_blocked", "/blocked-senders", {"address": "carol@customer.test"})):
            self.made[name] = post(path, body)
        self.make_mails()
        self.made["deleted"] = post("/tickets", {"title": "Gone", "description": "x"})
        assert self.admin.request("DELETE", f"/tickets/{self.made['deleted']}").status == 204

    def make_mails(self):
        """Six that are held back, and four on their way out."""
        for i in range(6):
            name = "dave" if i < 3 else "carol"
            self.world.send(lib.new_mail(f"{name}@customer.test", "support@desk.test", f"Held {i}",
                                         "x"), login=name)
        held = wait_for("them to be held", lambda: (
            lambda items: items if len(items) == 6 else None)(ok(self.admin.get("/quarantine"))["items"]))
        names = "released thrown barred cli_released cli_thrown cli_barred".split()
        self.made.update(zip(names, (h["id"] for h in sorted(held, key=lambda h: h["subject"]))))
        ticket = ok(self.admin.post("/tickets", {"title": "Mails", "description": "x",
                                                 "requester": "carol@customer.test"}), 201)["id"]
        for i in range(4):
            ok(self.admin.post(f"/tickets/{ticket}/comments", {"body": f"Answer {i}"}), 201)
        waiting = wait_for("mails that wait", lambda: (
            lambda items: items if len(items) >= 4 else None)(
                ok(self.admin.get("/outbox", to="carol@customer.test", state="queued"))["items"]))
        self.made.update(zip("sent kept cli_sent cli_kept".split(), (m["id"] for m in waiting)))

    def do(self, deed):
        """True: done; False: refused by the database."""
        if deed[0] != "cli":
            method, path, *body = deed
            answer = self.admin.request(method, path.format(**self.made), *body)
            self.said = answer.status, answer.body
            return answer.status < 300
        args = [str(a).format(**self.made) for a in deed[1:]]
        done = subprocess.run([lib.MAILDESK, *args, "--config", self.world["config"]], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=lib.PATIENCE)
        self.said = done.returncode, done.stderr
        return done.returncode == 0

    def see(self, probe):
        with self.world.db() as c:
            return [tuple(r) for r in c.execute(probe.format(**self.made)).fetchall()]

    @contextlib.contextmanager
    def blocked(self, action):
        if self.world.json.get("database"):
            execute(self.world, "CREATE FUNCTION no_row() RETURNS trigger LANGUAGE plpgsql AS"
                                " $$ BEGIN RAISE EXCEPTION 'no row'; END $$")
            execute(self.world, "CREATE TRIGGER no_row BEFORE INSERT ON audit_log FOR EACH ROW"
                                f" WHEN (NEW.action = '{action}') EXECUTE FUNCTION no_row()")
        else:
            execute(self.world, "CREATE TRIGGER no_row BEFORE INSERT ON audit_log"
                                f" WHEN NEW.action = '{action}'"
                                " BEGIN SELECT RAISE(ABORT, 'no row'); END")
        yield
        if self.world.json.get("database"):
            execute(self.world, "DROP TRIGGER no_row ON audit_log")
            execute(self.world, "DROP FUNCTION no_row")
        else:
            execute(self.world, "DROP TRIGGER no_row")


def of(table, key, column="*"):
    return f"SELECT {column} FROM {table} WHERE id = {{{key}}}"


# action, object (its id is of `made`; None: a new one or none), what is seen of it, the deed
DEEDS = [
    ("user.add", None, "SELECT name FROM users WHERE email = 'new@x.test'",
     ("POST", "/users", {"name": "New", "email": "new@x.test", "role": "customer"})),
    ("user.change", "user", of("users", "user", "role"), ("PATCH", "/users/{user}", {"role": "agent"})),
    ("user.addresses.add", "user", "SELECT * FROM user_addresses WHERE user_id = {user}",
     ("POST", "/users/{user}/addresses", {"address": "second@x.test"})),
    ("user.addresses.remove", "two", "SELECT * FROM user_addresses WHERE user_id = {two}",
     ("DELETE", "/users/{two}/addresses", {"address": "more@x.test"})),
    ("user.merge", "twin", "SELECT * FROM user_addresses WHERE user_id = {twin}",
     ("POST", "/users/{twin}/merge", {"into": 2})),
    ("user.erase", "gone", of("users", "gone", "name"), ("POST", "/users/{gone}/erase", {})),
    ("user.remove", "off", of("users", "off", "disabled_at"), ("DELETE", "/users/{off}")),
    ("user.export", "user", None, ("GET", "/users/{user}/export")),
    ("api_key.add", None, "SELECT COUNT(*) FROM api_keys",
     ("POST", "/api-keys", {"name": "New", "scopes": ["admin"]})),
    ("api_key.change", "key", of("api_keys", "key", "name"), ("PATCH", "/api-keys/{key}", {"name": "Kc"})),
    ("api_key.remove", "key", of("api_keys", "key", "COUNT(*)"), ("DELETE", "/api-keys/{key}")),
    ("webhook.add", None, "SELECT COUNT(*) FROM webhooks",
     ("POST", "/webhooks", {"url": "https://example.com/n", "events": ["ticket.created"]})),
    ("webhook.change", "hook", of("webhooks", "hook", "url"),
     ("PATCH", "/webhooks/{hook}", {"url": "https://example.com/c"})),
    ("webhook.test", "hook", "SELECT COUNT(*) FROM webhook_deliveries WHERE event_id IS NULL",
     ("POST", "/webhooks/{hook}/test", {})),
    ("webhook.remove", "hook", of("webhooks", "hook", "COUNT(*)"), ("DELETE", "/webhooks/{hook}")),
    *(deed for about, table, path, body, change in (
        ("team", "teams", "/teams", {"name": "Tn"}, {"name": "Tc"}),
        ("organisation", "organisations", "/organisations", {"name": "On"}, {"name": "Oc"}),
        ("tag", "tags", "/tags", {"name": "gn"}, {"name": "gc"}),
        ("canned_reply", "canned_replies", "/canned-replies", {"name": "Rn", "body": "x"}, {"name": "Rc"}),
        ("saved_view", "saved_views", "/saved-views", {"name": "Vn", "query": ""}, {"name": "Vc"}))
      for key in (about.partition("_")[2] or about,) for deed in (
          (f"{about}.add", None, f"SELECT COUNT(*) FROM {table}", ("POST", path, body)),
          (f"{about}.change", key, of(table, key, "name"), ("PATCH", f"{path}/{{{key}}}", change)),
          (f"{about}.remove", key, of(table, key, "COUNT(*)"), ("DELETE", f"{path}/{{{key}}}")))),
    ("quarantine.release", "released", of("quarantine", "released"),
     ("POST", "/quarantine/{released}/release", {})),
    ("quarantine.remove", "thrown", of("quarantine", "thrown"), ("DELETE", "/quarantine/{thrown}")),
    ("blocked_sender.remove", "blocked", of("blocked_senders", "blocked"),
     ("DELETE", "/blocked-senders/{blocked}")),
    ("quarantine.block", "barred", "SELECT COUNT(*) FROM blocked_senders",
     ("POST", "/quarantine/{barred}/block", {})),
    ("blocked_sender.add", None, "SELECT COUNT(*) FROM blocked_senders",
     ("POST", "/blocked-senders", {"domain": "spam.test"})),
    ("outbox.retry", "sent", of("outbox", "sent", "next_at"), ("POST", "/outbox/{sent}/retry", {})),
    ("outbox.cancel", "kept", of("outbox", "kept", "state"), ("POST", "/outbox/{kept}/cancel", {})),
    ("mailbox.poll", None, "SELECT * FROM mailbox_orders", ("POST", "/mailboxes/support/poll", {})),
    ("mailbox.pause", None, "SELECT * FROM mailbox_orders", ("POST", "/mailboxes/support/pause", {})),
    ("mailbox.resume", None, "SELECT * FROM mailbox_orders", ("POST", "/mailboxes/support/resume", {})),
    ("ticket.restore", "deleted", of("tickets", "deleted", "deleted_at"),
     ("POST", "/tickets/{deleted}/restore", {})),
    ("user.add", None, "SELECT name FROM users WHERE email = 'cli@x.test'",
     ("cli", "user", "add", "--email", "cli@x.test")),
    ("user.change", None, "SELECT disabled_at FROM users WHERE email = 'new@x.test'",
     ("cli", "user", "set", "new@x.test", "--disable")),
    ("user.erase", "cli_gone", of("users", "cli_gone", "name"), ("cli", "erase", "{cli_gone}", "--yes")),
    ("api_key.add", None, "SELECT COUNT(*) FROM api_keys",
     ("cli", "token", "add", "--user", "admin@desk.test")),
    ("api_key.remove", "cli_key", of("api_keys", "cli_key", "COUNT(*)"), ("cli", "token", "remove", "{cli_key}")),
    ("token.rotate", None, "SELECT value FROM settings WHERE name = 'token_keys'", ("cli", "token", "rotate")),
    ("quarantine.release", "cli_released", of("quarantine", "cli_released"),
     ("cli", "quarantine", "release", "{cli_released}")),
    ("quarantine.remove", "cli_thrown", of("quarantine", "cli_thrown"),
     ("cli", "quarantine", "delete", "{cli_thrown}")),
    ("blocked_sender.remove", "cli_blocked", of("blocked_senders", "cli_blocked"),
     ("DELETE", "/blocked-senders/{cli_blocked}")),
    ("quarantine.block", "cli_barred", "SELECT COUNT(*) FROM blocked_senders",
     ("cli", "quarantine", "block", "{cli_barred}")),
    ("outbox.retry", "cli_sent", of("outbox", "cli_sent", "next_at"), ("cli", "outbox", "retry", "{cli_sent}")),
    ("outbox.cancel", "cli_kept", of("outbox", "cli_kept", "state"), ("cli", "outbox", "cancel", "{cli_kept}")),
]
# Of many transactions, or of none in the database: noted before they begin.
WORKS = [("desk.purge", ("cli", "purge")), ("desk.export", ("cli", "export", "{folder}/export")),
         ("desk.backup", ("cli", "backup", "{folder}/backup")),
         ("desk.import", ("cli", "import", "jsonl", "{folder}/export"))]


def test_each_deed_is_noted_in_its_transaction(start_world, tmp_path):
    """Where the row cannot be written, nothing is done either."""
    world = start_world(fragment='desk { undo_send = "1h" }\nlimits { user_per_minute = 0 }\n')
    deeds, wrong = Deeds(world), []
    for action, key, probe, deed in DEEDS:
        before, n = probe and deeds.see(probe), len(rows(deeds.admin, action=action))
        with deeds.blocked(action):
            done = deeds.do(deed)
        if done or (probe and deeds.see(probe) != before):
            wrong.append(f"{action} {deed[0]}: done, and not noted")
            continue
        if not deeds.do(deed) or (probe and deeds.see(probe) == before):
            wrong.append(f"{action} {deed[0]}: not done: {deeds.said}")
        seen = rows(deeds.admin, action=action)
        source = "cli" if deed[0] == "cli" else "api"
        if len(seen) != n + 1 or seen[0]["source"] != source or not seen[0]["hash"]:
            wrong.append(f"{action} {deed[0]}: {len(seen) - n} rows, {seen[:1]}")
        elif key and seen[0]["about_id"] != deeds.made[key]:
            wrong.append(f"{action} {deed[0]}: about {seen[0]['about_id']}, not {deeds.made[key]}")
    deeds.made["folder"] = tmp_path
    for action, deed in WORKS:
        if not deeds.do(deed) or len(rows(deeds.admin, action=action)) != 1:
            wrong.append(f"{action}: {deeds.said} {rows(deeds.admin, action=action)}")
    assert not wrong, "\n".join(wrong)
    command(world, "audit", "verify")


def test_every_route_that_changes_the_desk_is_in_the_table(desk):
    """But for what people do to their own tickets and themselves, which histories show."""
    document = desk.api().get("/openapi.json").json
    theirs = ("/auth/", "/tickets", "/comments", "/attachments", "/u/")
    routes = {(m.upper(), re.sub(r"\{[a-z]+\}", "x", p.removeprefix("/api/v1")))
              for p, methods in document["paths"].items() for m in methods if m != "get"}
    noted = {(d[0], re.sub(r"\{[a-z_]+\}|(?<=mailboxes/)support", "x", d[1]))
             for *_, d in DEEDS if d[0] != "cli"}
    missing = {r for r in routes - noted if not r[1].startswith(theirs)}
    assert not missing


def test_verify_finds_what_was_changed(desk, people):
    admin = people["admin"]
    ids = [ok(admin.post("/teams", {"name": f"Chain {i}"}), 201)["id"] for i in range(3)]
    command(desk, "user", "add", "--email", "frank@customer.test")
    said = command(desk, "audit", "verify")
    assert "are good" in said
    chains = [json.loads(line) for line in command(desk, "audit", "verify", "--json").splitlines()]
    assert {c["chain"] for c in chains} >= {"cli"} and all(c["ok"] for c in chains)
    victim = rows(admin, action="team.add", about_id=ids[1])[0]
    execute(desk, f"UPDATE audit_log SET about_id = about_id + 1 WHERE id = {victim['id']}")
    said = command(desk, "audit", "verify", code=65)
    assert f"(id {victim['id']})" in said
    execute(desk, f"UPDATE audit_log SET about_id = about_id - 1 WHERE id = {victim['id']}")
    command(desk, "audit", "verify")
    execute(desk, f"DELETE FROM audit_log WHERE id = {victim['id']}")
    broken = [json.loads(line) for line in
              command(desk, "audit", "verify", "--json", code=65).splitlines()]
    assert [c["why"] for c in broken if not c["ok"]] == ["a row before it is missing"]


def test_a_configuration_is_noted(start_world):
    world = start_world()
    admin = world.api("admin")
    subprocess.run(["kill", "-HUP", str(world["pid"])], check=True)
    wait_for("the note", lambda: [r for r in rows(world.api("admin")) if r["action"] == "config.reload"])
