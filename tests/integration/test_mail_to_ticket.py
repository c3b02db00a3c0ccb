"""The spine: a mail becomes a ticket, is acknowledged, answered, and the answer threads back."""
import email
import re

import pytest

from lib import new_mail, reply_to, text_of, wait_for

CAROL = "Carol <carol@customer.test>"
SUPPORT = "support@desk.test"


def with_tag(ticket, text=""):
    return lambda mail: f"[#{ticket['id']}]" in mail["Subject"] and text in text_of(mail)


def open_ticket(world, subject, body="It does not work.\n", sender=CAROL, login="carol", **headers):
    """Sends a mail and waits for its ticket: (mail, ticket)."""
    mail = world.send(new_mail(sender, SUPPORT, subject, body, **headers), login=login)
    return mail, world.staff.wait_ticket(subject, lambda t: t["title"] == subject)


def ticket_of(world, ticket):
    answer = world.staff.get(f"/tickets/{ticket['id']}")
    assert answer.status == 200, answer.body
    return answer.json


def wait_comment(world, ticket, text):
    return wait_for(text, lambda: next(
        (c for c in world.staff.comments(ticket["id"]) if text in c["body"]), None))


@pytest.fixture(scope="module")
def world(desk):
    desk.staff = desk.api("anna")
    return desk


def barrier(world):
    """Everything sent before is decided when this one's ticket is there: one mailbox, in order."""
    barrier.count += 1
    open_ticket(world, f"barrier {barrier.count}", sender="Dave <dave@customer.test>", login="dave")


barrier.count = 0


def test_a_mail_becomes_a_ticket(world):
    _, ticket = open_ticket(world, "Printer on fire", "It smokes.\n\n-- \nCarol\n")
    assert ticket["status"] == "open" and ticket["priority"] == "medium"
    assert ticket["requester"]["email"] == "carol@customer.test"
    assert ticket["mailbox"] == "support" and ticket["channel"] == "mail"
    assert ticket["assignee"] is None and ticket["version"] >= 1
    comments = world.staff.comments(ticket["id"])
    assert [c["body"].splitlines()[0] for c in comments] == ["It smokes."]
    assert comments[0]["author"]["name"] == "Carol" and not comments[0]["is_internal"]


def test_the_acknowledgement_threads_and_cannot_loop(world):
    mail, ticket = open_ticket(world, "Need a chair")
    with world.mailbox("carol") as box:
        ack = box.wait_mail("the acknowledgement", with_tag(ticket))
    assert email.utils.parseaddr(ack["From"])[1] == SUPPORT
    assert ack["To"].addresses[0].addr_spec == "carol@customer.test" and ack["Cc"] is None
    assert ack["Subject"] == f"[#{ticket['id']}] Need a chair"
    assert ack["In-Reply-To"] == mail["Message-ID"]
    assert str(mail["Message-ID"]) in ack["References"]
    assert ack["Auto-Submitted"] == "auto-replied" and ack["X-Auto-Response-Suppress"]
    assert ack["X-Maildesk-Loop"] and ack["Date"]
    assert re.match(r"<md\.[^@]+@", ack["Message-ID"])
    assert re.match(r"support\+[a-z0-9.]+@desk\.test$", ack["Reply-To"].addresses[0].addr_spec)
    assert "It does not work" not in text_of(ack), "no quote in acknowledgements"


def test_the_mail_is_marked_only_when_it_is_kept(world):
    open_ticket(world, "Marked as seen")
    with world.mailbox("support") as box:
        wait_for("all mails to be seen",
                 lambda: all(b"\\Seen" in f for f in box.imap.noop() and box.flags()))


def test_an_agent_answers_by_mail_with_commands(world):
    mail, ticket = open_ticket(world, "Screen is dark")
    with world.mailbox("anna") as box:
        notice = box.wait_mail("the notification", with_tag(ticket))
    assert "carol@customer.test" in text_of(notice)
    world.send(reply_to(notice, "Anna <anna@desk.test>", "Press the button.",
                        f"Re: [#{ticket['id']}] Screen is dark [take; resolve; tag=+hardware]"),
               login="anna")
    with world.mailbox("carol") as box:
        reply = box.wait_mail("the answer", with_tag(ticket, "Press the button."))
    assert str(mail["Message-ID"]) in reply["References"]
    assert reply["Subject"] == f"Re: [#{ticket['id']}] Screen is dark" or \
        reply["Subject"] == f"[#{ticket['id']}] Screen is dark"
    assert reply["Auto-Submitted"] is None, "a person wrote this"
    assert "anna@desk.test" not in reply.as_string(), "agents are reached through the desk"
    now = ticket_of(world, ticket)
    assert (now["status"], now["assignee"]["name"]) == ("resolved", "Anna")
    assert [t["name"] for t in now["tags"]] == ["hardware"]
    assert now["first_response_at"] and now["resolved_at"]

    world.send(reply_to(reply, CAROL, "It is dark again."), login="carol")
    comment = wait_comment(world, ticket, "dark again")
    assert comment["body"].strip() == "It is dark again.", "quoted text is trimmed"
    assert ticket_of(world, ticket)["status"] in ("reopened", "in_progress")
    with world.mailbox("anna") as box:
        box.wait_mail("Anna to hear of it", with_tag(ticket, "dark again"))


def test_commands_in_the_body_and_an_internal_note(world):
    _, ticket = open_ticket(world, "Slow network")
    with world.mailbox("anna") as box:
        notice = box.wait_mail("the notification", with_tag(ticket))
    world.send(reply_to(notice, "Anna <anna@desk.test>",
                        "#take\n#priority high\n#note The switch again, tell nobody."), login="anna")
    note = wait_comment(world, ticket, "tell nobody")
    assert note["is_internal"] and "#take" not in note["body"]
    now = ticket_of(world, ticket)
    assert (now["status"], now["priority"]) == ("in_progress", "high")
    barrier(world)
    with world.mailbox("carol") as box:
        assert not any("tell nobody" in text_of(m) for m in box.mails()), "a note reached a customer"


def test_a_refused_command_changes_nothing_and_says_why(world):
    _, ticket = open_ticket(world, "Too early")
    with world.mailbox("anna") as box:
        notice = box.wait_mail("the notification", with_tag(ticket))
        world.send(reply_to(notice, "Anna <anna@desk.test>", "#priority critical\n#resolve"),
                   login="anna")
        transcript = box.wait_mail("the transcript", with_tag(ticket, "[take; resolve]"))
    assert transcript["Auto-Submitted"].startswith("auto-")
    now = ticket_of(world, ticket)
    assert (now["status"], now["priority"]) == ("open", "medium"), "half of it was done"
    came = world.staff.get("/messages", ticket=ticket["id"], direction="in").json["items"]
    lines = world.staff.get(f"/messages/{max(m['id'] for m in came)}/decision").json["commands"]
    assert [(line["line"], line["ok"], line["code"]) for line in lines] == [
        ("#priority critical", False, "not_done"), ("#resolve", False, "take_first")]


@pytest.mark.parametrize("forgery", ["no login", "another's login"])
def test_a_forged_agent_commands_nothing(world, forgery):
    _, ticket = open_ticket(world, f"Forged by {forgery}")
    mail = new_mail("Anna <anna@desk.test>", SUPPORT,
                    f"Re: [#{ticket['id']}] {ticket['title']} [take; resolve]", "Forged words.\n")
    world.send(mail, login=None if forgery == "no login" else "dave")
    comment = wait_comment(world, ticket, "Forged words.")
    assert comment["is_internal"], "held until somebody looks"
    assert ticket_of(world, ticket)["status"] == "open"
    barrier(world)
    with world.mailbox("carol") as box:
        assert not any("Forged words" in text_of(m) for m in box.mails())


@pytest.mark.parametrize("by", ["reply-to", "references", "subject"])
def test_an_answer_finds_its_ticket(world, by):
    _, ticket = open_ticket(world, f"Threads by {by}")
    with world.mailbox("carol") as box:
        ack = box.wait_mail("the acknowledgement", with_tag(ticket))
    answer = {
        "reply-to": lambda: new_mail(CAROL, str(ack["Reply-To"]), "one more thing", f"by {by}\n"),
        "references": lambda: new_mail(CAROL, SUPPORT, "one more thing", f"by {by}\n",
                                       In_Reply_To=ack["Message-ID"]),
        "subject": lambda: new_mail(CAROL, SUPPORT, f"AW: {ack['Subject']}", f"by {by}\n"),
    }[by]()
    world.send(answer, login="carol")
    assert wait_comment(world, ticket, f"by {by}")["author"]["name"] == "Carol"


def test_a_strangers_tag_opens_a_new_ticket(world):
    _, ticket = open_ticket(world, "Private matter")
    world.send(new_mail("dave@customer.test", SUPPORT, f"Re: [#{ticket['id']}] Private matter",
                        "Words of a stranger.\n"), login="dave")
    other = world.staff.wait_ticket("a new ticket", lambda t: t["id"] != ticket["id"]
                                    and t["title"].endswith("Private matter"))
    assert other["requester"]["email"] == "dave@customer.test"
    assert not any("stranger" in c["body"] for c in world.staff.comments(ticket["id"]))
    assert world.api("dave").get(f"/tickets/{ticket['id']}").status == 404


def test_a_spoilt_token_is_kept_apart(world):
    _, ticket = open_ticket(world, "Spoilt token")
    with world.mailbox("carol") as box:
        ack = box.wait_mail("the acknowledgement", with_tag(ticket))
    address = ack["Reply-To"].addresses[0].addr_spec
    at = address.index("@") - 8
    bad = address[:at] + ("b" if address[at] == "a" else "a") + address[at + 1:]
    world.send(new_mail(CAROL, bad, "Re: Spoilt token", "with a bad tag\n"), login="carol")
    barrier(world)
    assert not any("bad tag" in c["body"] for c in world.staff.comments(ticket["id"]))
    assert not any(t["title"] == "Re: Spoilt token" for t in world.staff.tickets())


@pytest.mark.parametrize("name, headers", [
    ("auto-replied", {"Auto-Submitted": "auto-replied"}),
    ("bulk", {"Precedence": "bulk"}),
    ("list", {"List-Id": "<news.customer.test>"}),
])
def test_automatic_mail_is_not_answered(world, name, headers):
    subject = f"Automatic {name}"
    mail = new_mail(CAROL, SUPPORT, subject, "I am away.\n")
    for key, value in headers.items():
        mail[key] = value
    world.send(mail, login="carol")
    ticket = world.staff.wait_ticket(subject, lambda t: t["title"] == subject)
    barrier_mail_arrives(world)
    with world.mailbox("carol") as box:
        assert not any(with_tag(ticket)(m) for m in box.mails())


def barrier_mail_arrives(world):
    """What the desk queued for carol before is in her mailbox when this acknowledgement is."""
    barrier.count += 1
    _, ticket = open_ticket(world, f"barrier {barrier.count}")
    with world.mailbox("carol") as box:
        box.wait_mail("the barrier", with_tag(ticket))


def test_a_bounce_of_ours_is_no_customer(world):
    """An answer that cannot be delivered comes back as a DSN: no ticket of its own, no loop."""
    mail = new_mail("Bounce <bounce-1@customer.test>", SUPPORT, "Cannot be answered", "x\n")
    world.send(mail)
    ticket = world.staff.wait_ticket("its ticket", lambda t: t["title"] == mail["Subject"])
    before = {t["id"] for t in world.staff.tickets()}
    answer = world.staff.post(f"/tickets/{ticket['id']}/comments", {"body": "Not for you."})
    assert answer.status == 201, answer.body
    with world.mailbox("support") as box:
        box.wait_mail("the DSN", lambda m: m.get_content_type() == "multipart/report")
    open_ticket(world, "After the bounce")
    titles = [t["title"] for t in world.staff.tickets() if t["id"] not in before]
    assert titles == ["After the bounce"]


def test_the_same_mail_twice_is_one_ticket(world):
    mail, ticket = open_ticket(world, "Only once")
    world.send(mail, login="carol")
    barrier(world)
    assert [t["title"] for t in world.staff.tickets()].count("Only once") == 1
    assert len(world.staff.comments(ticket["id"])) == 1


RAW = {
    "html": (b'Content-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Caf\xe9 <b>bold</b></p>'
             b'<script>alert(1)</script>', "Café bold"),
    "latin1": (b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
               b"Gr\xfc\xdfe", "Grüße"),
    "base64": (b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
               b"R3LDvMOfZQ==", "Grüße"),
    "no-type": (b"\r\nplain words", "plain words"),
}


@pytest.mark.parametrize("name", RAW)
def test_bodies_are_read(world, name):
    tail, expected = RAW[name]
    subject = f"body {name}"
    world.send(b"From: carol@customer.test\r\nTo: support@desk.test\r\nMIME-Version: 1.0\r\n"
               b"Subject: " + subject.encode() + b"\r\n" + tail + b"\r\n", login="carol")
    ticket = world.staff.wait_ticket(subject, lambda t: t["title"] == subject)
    assert world.staff.comments(ticket["id"])[0]["body"].strip() == expected


def test_unreadable_mail_does_not_stop_the_next(world):
    for raw in (b"\r\n\r\n", b"Subject: nobody wrote this\r\n\r\nx\r\n",
                b"From: @@@\r\nSubject: no address\r\n\r\nx\r\n",
                b"From: carol@customer.test\r\nSubject: nested\r\nContent-Type: multipart/mixed;"
                b" boundary=b\r\n\r\n" + b"--b\r\nContent-Type: message/rfc822\r\n\r\n" * 2000):
        world.send(raw, sender="", to=SUPPORT)  # Return-Path would stand in for From
    open_ticket(world, "After the unreadable")
    titles = {t["title"] for t in world.staff.tickets()}
    assert not titles & {"nobody wrote this", "no address", "(no subject)"}, "no From, no ticket"


def test_the_api_answers_and_is_heard(world):
    """An agent's public comment in the API reaches the customer's mailbox."""
    _, ticket = open_ticket(world, "By the API")
    answer = world.staff.post(f"/tickets/{ticket['id']}/comments", {"body": "Written in *haste*."})
    assert answer.status == 201, answer.body
    with world.mailbox("carol") as box:
        box.wait_mail("the comment", with_tag(ticket, "Written in"))
    assert world.staff.patch(f"/tickets/{ticket['id']}", {"status": "resolved"}).status == 400
    assert world.staff.patch(f"/tickets/{ticket['id']}", {"priority": "low"}).status == 200
    history = world.staff.get(f"/tickets/{ticket['id']}/history", per_page=100).json["items"]
    assert {"mail", "api"} <= {row["source"] for row in history}
