"""Mailboxes are paused, resumed and looked at by admins."""
import imaplib

from lib import new_mail, ok, wait_for


def state(api, name="support"):
    return next(m for m in ok(api.get("/mailboxes"))["items"] if m["name"] == name)


def test_pause_resume_and_poll(start_world):
    # neither told by the server nor soon enough by itself
    world = start_world(fragment='mailbox "support" { idle = false  poll_interval = "1h" }\n')
    admin, anna = world.api("admin"), world.api("anna")
    wait_for("the mailbox", lambda: state(admin)["state"] == "ok")
    assert state(admin)["lag"] == 0
    for verb in "poll", "pause", "resume":
        assert anna.post(f"/mailboxes/support/{verb}", {}).status == 403
        assert admin.post(f"/mailboxes/other/{verb}", {}).status == 404
        assert admin.get(f"/mailboxes/support/{verb}").status == 405
    assert ok(admin.post("/mailboxes/support/pause", {}))["state"] == "paused"
    wait_for("the pause", lambda: state(admin)["state"] == "paused")
    assert admin.post("/mailboxes/support/poll", {}).status == 409
    for path in "//healthz", "//readyz":
        answer = admin.get(path)
        assert answer.status == 200 and answer.json["mailboxes"][0]["state"] == "paused"
    world.send(new_mail("carol@customer.test", "support@desk.test", "While paused", "Hi"), login="carol")
    with world.mailbox("support") as box:
        box.wait_mail("it", lambda m: "While paused" in str(m["Subject"]))
    # a restart does not forget it
    world.sandbox("stop", "desk")
    world.sandbox("start", "desk")
    admin, anna = world.api("admin"), world.api("anna")
    wait_for("the pause", lambda: state(admin)["state"] == "paused")
    assert not [t for t in anna.tickets() if t["title"] == "While paused"]
    assert ok(admin.post("/mailboxes/support/resume", {}))["state"] == "connecting"
    anna.wait_ticket("what waited", lambda t: t["title"] == "While paused")
    wait_for("the mailbox", lambda: state(admin)["state"] == "ok")
    world.send(new_mail("carol@customer.test", "support@desk.test", "Look now", "Hi"), login="carol")
    with world.mailbox("support") as box:
        box.wait_mail("it", lambda m: "Look now" in str(m["Subject"]))
    ok(admin.post("/mailboxes/support/poll", {}))
    anna.wait_ticket("it", lambda t: t["title"] == "Look now")
    assert len([t for t in anna.tickets() if t["title"] == "While paused"]) == 1
    noted = [r["action"] for r in ok(admin.get("/audit", about="mailbox"))["items"]]
    assert noted == ["mailbox.poll", "mailbox.resume", "mailbox.pause"]


def test_an_import_begins_where_it_is_told(start_world):
    world = start_world("--no-daemon", fragment='mailbox "support" { import = "since 2026-01-02" }\n')
    with world.mailbox("support") as box:
        for day, title in ("30-Dec-2025", "Long ago"), ("01-Jan-2026", "The day before"), \
                ("02-Jan-2026", "That day"), ("03-Mar-2026", "Later"):
            mail = new_mail("carol@customer.test", "support@desk.test", title, "Hi")
            status, _ = box.imap.append("INBOX", None, f'"{day} 12:00:00 +0000"', mail.as_bytes())
            assert status == "OK"
    world.sandbox("start")
    anna = world.api("anna")
    anna.wait_ticket("the last of the past", lambda t: t["title"] == "Later")
    world.send(new_mail("carol@customer.test", "support@desk.test", "Now", "Hi"), login="carol")
    anna.wait_ticket("news", lambda t: t["title"] == "Now")
    assert [t["title"] for t in anna.tickets()] == ["Now", "Later", "That day"]
    with world.mailbox("carol") as box:
        box.wait_mail("the answer to it", lambda m: "Now" in str(m["Subject"]))
        assert not [m for m in box.mails() if "Later" in str(m["Subject"])], "an import is silent"
    world.sandbox("stop")


def test_an_import_of_nothing_begins_now(start_world):
    world = start_world("--no-daemon", fragment='mailbox "support" { import = "since 2026-06-01" }\n')
    with world.mailbox("support") as box:
        mail = new_mail("carol@customer.test", "support@desk.test", "Long ago", "Hi")
        box.imap.append("INBOX", None, imaplib.Time2Internaldate(1767225600), mail.as_bytes())
    world.sandbox("start")
    world.send(new_mail("carol@customer.test", "support@desk.test", "Now", "Hi"), login="carol")
    anna = world.api("anna")
    anna.wait_ticket("news", lambda t: t["title"] == "Now")
    assert [t["title"] for t in anna.tickets()] == ["Now"]
