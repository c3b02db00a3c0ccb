"""The outbox by API and CLI: what waits, undo, what failed and who is told of it."""
import json
import subprocess
import sys

import pytest

from lib import MAILDESK, TREE, new_mail, text_of, wait_for

sys.path.insert(0, str(TREE / "tests" / "faults"))
from fakes import Smtp  # noqa: E402

SUPPORT = "support@desk.test"
CAROL = "carol@customer.test"


@pytest.fixture
def world(start_world):
    """The desk sends to a server that does as it is told; replies wait for a while."""
    with Smtp() as server:
        world = start_world(fragment=f'smtp "main" {{ port = {server.port} }}\n'
                                     'desk { undo_send = "1h" }\n'
                                     'limits { user_per_minute = 0 }\n')
        world.out, world.staff = server, world.api("anna")
        yield world


def rows(world, **query):
    answer = world.staff.get("/outbox", **query)
    assert answer.status == 200, answer.body
    return answer.json["items"]


def open_ticket(world, subject):
    world.send(new_mail(f"Carol <{CAROL}>", SUPPORT, subject, "Hello.\n"), login="carol")
    ticket = world.staff.wait_ticket(subject, lambda t: t["title"] == subject)
    wait_for("its acknowledgement", lambda: [r for r in rows(world, ticket=ticket["id"], to=CAROL)
                                             if r["state"] == "sent"])
    return ticket["id"]


def say(world, ticket, body):
    answer = world.staff.post(f"/tickets/{ticket}/comments", {"body": body})
    assert answer.status == 201, answer.body
    return answer.json["id"]


def cli(world, *args):
    done = subprocess.run([MAILDESK, "outbox", *map(str, args), "--config", world["config"]],
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def history(world, ticket, action="delivery"):
    return [(h["old_value"], h["new_value"]) for h in
            world.staff.get(f"/tickets/{ticket}/history", per_page=100).json["items"]
            if h["action"] == action]


def test_a_reply_can_be_taken_back(world):
    ticket = open_ticket(world, "Undo")
    for n in range(4):
        say(world, ticket, f"Answer {n}")
    waiting = rows(world, state="queued,held", ticket=ticket, to=CAROL.upper())
    assert [r["to"] for r in waiting] == [CAROL] * 4 and rows(world, state="failed") == []
    by_cancel, by_delete, edited, at_once = sorted(waiting, key=lambda r: r["id"])
    comments = {c["body"]: c["id"] for c in world.staff.comments(ticket)}

    answer = world.staff.post(f"/outbox/{by_cancel['id']}/cancel", {})
    assert answer.status == 200 and answer.json["state"] == "cancelled"
    again = world.staff.post(f"/outbox/{by_cancel['id']}/cancel", {})
    assert again.status == 409 and again.json["code"] == "conflict"
    assert world.staff.request("DELETE", f"/comments/{comments['Answer 1']}").status == 204
    assert world.staff.patch(f"/comments/{comments['Answer 2']}", {"body": "Better"}).status == 200
    assert world.staff.get(f"/outbox/{by_delete['id']}").json["state"] == "cancelled"
    # who does not want to wait does not
    for row in (edited, at_once):
        assert world.staff.post(f"/outbox/{row['id']}/retry", {}).status == 200
    wait_for("both", lambda: len(rows(world, state="sent", ticket=ticket, to=CAROL)) == 3)
    sent = b"".join(world.out.texts).decode()
    assert "Better" in sent and "Answer 3" in sent
    assert not any(f"Answer {n}" in sent for n in (0, 1, 2))
    assert sorted(history(world, ticket)) == [(CAROL, "cancelled")] + [(CAROL, "queued again")] * 2
    for path in ("/outbox/999", "/outbox/999/retry", "/outbox/999/cancel"):
        method = "GET" if path.endswith("999") else "POST"
        assert world.staff.request(method, path).status == 404
    assert world.api("carol").get("/outbox").status == 403
    assert world.staff.get("/outbox", state="lost").status == 400


def test_an_agent_is_told_of_a_failure_once(world):
    ticket, bob = open_ticket(world, "Fails"), "bob@desk.test"
    assert world.staff.patch(f"/tickets/{ticket}", {"assignee": bob}).status == 200
    wait_for("him to be told", lambda: len(rows(world, state="sent", ticket=ticket, to=bob)) == 2)
    for reaches_bob in (True, False):
        world.out.faults = {f"RCPT {CAROL}": ["550 5.1.1 no such user"]}
        if not reaches_bob:  # which is told to nobody
            world.out.faults[f"RCPT {bob}"] = ["550 5.1.1 nor this one"] * 20
        say(world, ticket, "Never arrives")
        [row] = rows(world, state="queued", ticket=ticket, to=CAROL)
        world.staff.post(f"/outbox/{row['id']}/retry", {})
        wait_for("its end", lambda: world.staff.get(f"/outbox/{row['id']}").json["state"] ==
                 "failed")
        assert world.staff.get(f"/outbox/{row['id']}").json["last_reply"] == \
            "550 5.1.1 no such user"
        assert (CAROL, "failed 550 5.1.1 no such user") in history(world, ticket)
        new = rows(world, state="queued", ticket=ticket)
        assert [r["to"] for r in new] == [bob] * 2, "the answer and that it does not arrive"
        assert new[0]["subject"] == "Fails"
        world.staff.post(f"/outbox/{new[1]['id']}/retry", {})
        wait_for("both", lambda: not rows(world, state="queued,sending,retry", ticket=ticket))
    assert [o for o, _ in history(world, ticket)].count(bob) == 4  # two sent by hand, two failed
    mails = [m for m in world.out.texts if b"could not be delivered" in m]
    assert len(mails) == 1
    assert b"carol@customer.test" in mails[0] and b"550 5.1.1 no such user" in mails[0]


def test_command_line(world):
    ticket = open_ticket(world, "By command")
    say(world, ticket, "Line by line")
    code, out, _ = cli(world, "list", "--state", "queued", "--json")
    [row] = [r for r in map(json.loads, out.splitlines()) if r["to"] == CAROL]
    assert code == 0 and row["ticket"] == ticket and row["state"] == "queued"
    assert CAROL in cli(world, "show", row["id"])[1]
    assert cli(world, "cancel", row["id"]) == (0, "", "")
    code, _, err = cli(world, "cancel", row["id"])
    assert code != 0 and "not in a state for that" in err
    assert cli(world, "list", "--state", "lost")[0] == 64
    assert cli(world, "show", "x")[0] == 64
    [ack] = [r for r in rows(world, state="sent", ticket=ticket, to=CAROL)]
    assert "Message-ID: <" + ack["message_id"] + ">" in cli(world, "show", ack["id"])[1]


def test_admins_hear_of_a_broken_mailbox_once(start_world):
    def told(n):
        with world.mailbox("admin") as box:
            mails = [m for m in box.mails() if "needs attention" in str(m["Subject"])]
            return mails if len(mails) == n else None

    def state():
        return admin.get("/mailboxes").json["items"][0]["state"]

    def written():
        return [r for r in admin.get("/outbox", per_page=100).json["items"]
                if r["to"] == "admin@desk.test"]

    world = start_world(fragment='desk { alarm_after = "300ms" }\n'
                                 'limits { user_per_minute = 0 }\n')
    admin = world.api("admin")
    for n in (1, 2):
        world.sandbox("stop", "imap")
        wait_for("it to be noticed", lambda: len(written()) == n)
        world.sandbox("start", "imap")
        wait_for("it to be well", lambda: state() == "ok")
        [*_, mail] = wait_for("the letter", lambda: told(n))
        assert "support@desk.test" in text_of(mail) and mail["Auto-Submitted"] == "auto-generated"
