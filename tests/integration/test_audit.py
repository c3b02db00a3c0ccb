"""The audit log: what admins did, what was refused, and whether anybody changed it."""
import json
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


def test_the_command_line_and_verify(desk, people):
    admin = people["admin"]
    command(desk, "user", "add", "--email", "frank@customer.test")
    assert rows(admin)[0]["source"] == "cli" and rows(admin)[0]["action"] == "user.add"
    command(desk, "user", "set", "frank@customer.test", "--disable")
    assert rows(admin)[0]["action"] == "user.change"
    said = command(desk, "audit", "verify")
    assert "are good" in said
    chains = [json.loads(line) for line in command(desk, "audit", "verify", "--json").splitlines()]
    assert {c["chain"] for c in chains} >= {"cli"} and all(c["ok"] for c in chains)
    victim = rows(admin, action="user.export")[0]
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
