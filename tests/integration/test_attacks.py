"""Every line of "Mail" in the attack list, with real mails through the sandbox's Postfix.

Each attack tries to do what only somebody else may; a mail sent after it tells that it was decided,
because one mailbox is read in order. What the defence refuses would show: the commands are ones that
the person imitated may give, the words ones that nobody else writes.
"""
import base64
import email.utils
import hashlib
import hmac
import re
import time

import pytest

from lib import new_mail, reply_to, text_of, unseal

SUPPORT = "support@desk.test"
CAROL, DAVE = "Carol <carol@customer.test>", "Dave <dave@customer.test>"
ANNA = "Anna <anna@desk.test>"
FRAGMENT = """\
limits { auto_per_address_hour = 500  auto_per_address_day = 0  auto_desk_hour = 0
	auto_answers_hour = 0  inbound_per_sender_hour = 0  anonymous_per_minute = 0
	user_per_minute = 0  login_per_minute = 0 }
"""


@pytest.fixture(scope="module")
def world(start_shared):
    world = start_shared(FRAGMENT)
    world.staff, world.count = world.api("anna"), 0
    return world


class Case:
    """A ticket of Carol's, and the mails its people have got about it."""

    def __init__(self, world, title=None):
        world.count += 1
        self.world, self.title = world, f"{title or 'case'} {world.count}"
        self.mail = world.send(new_mail(CAROL, SUPPORT, self.title, "It burns.\n"), login="carol")
        self.id = world.staff.wait_ticket(self.title, lambda t: t["title"] == self.title)["id"]

    def mail_to(self, name, text=""):
        with self.world.mailbox(name) as box:
            return box.wait_mail(f"a mail to {name}", lambda m: f"[#{self.id}]" in m["Subject"]
                                 and text in text_of(m))

    def now(self):
        answer = self.world.staff.get(f"/tickets/{self.id}")
        assert answer.status == 200, answer.body
        return answer.json

    def comments(self):
        return self.world.staff.comments(self.id)

    def untouched(self):
        """Nothing was changed, and no customer reads anything but the description."""
        now = self.now()
        assert (now["status"], now["priority"], now["assignee"]) == ("open", "medium", None), now
        public = [c["body"] for c in self.comments() if not c["is_internal"]]
        assert len(public) == 1 and public[0].startswith("It burns."), public


def barrier(world):
    """Everything sent before is decided when this one's ticket is there."""
    world.count += 1
    title = f"barrier {world.count}"
    world.send(new_mail(DAVE, SUPPORT, title, "x\n"), login="dave")
    world.staff.wait_ticket(title, lambda t: t["title"] == title)


def raw(headers, body, subject, to=SUPPORT):
    return (f"{headers}To: {to}\r\nSubject: {subject}\r\nMessage-ID: "
            f"{email.utils.make_msgid(domain='attack.test')}\r\n\r\n{body}\r\n").encode()


def held(world, subject):
    """The cause for which a mail of that subject is in quarantine, or None."""
    items = world.staff.get("/quarantine", per_page=100).json["items"]
    return next((q["cause"] for q in items if q["subject"] == subject), None)


# ---- senders ----

SENDERS = {
    "forged": ("From: anna@desk.test\r\n", None),
    "another's login": ("From: anna@desk.test\r\n", "dave"),
    "two From fields": ("From: anna@desk.test\r\nFrom: dave@customer.test\r\n", None),
    "two From, own first": ("From: dave@customer.test\r\nFrom: anna@desk.test\r\n", "dave"),
    "several addresses": ("From: anna@desk.test, dave@customer.test\r\n", "dave"),
    "group": ("From: Staff: anna@desk.test;\r\n", None),
    "group and own": ("From: Staff: anna@desk.test; dave@customer.test\r\n", "dave"),
    "name is an address": ('From: "anna@desk.test" <dave@customer.test>\r\n', "dave"),
    "encoded name": ("From: =?utf-8?q?anna=40desk.test?= <dave@customer.test>\r\n", "dave"),
    "encoded address": ("From: =?utf-8?q?anna=40desk.test?=\r\n", None),
    "line break in a name": ("From: =?utf-8?q?x=0D=0AFrom:_anna=40desk.test?= "
                             "<dave@customer.test>\r\n", "dave"),
    "homograph": ("From: anna@d\u0435sk.test\r\n", None),
    "homograph in punycode": ("From: anna@xn--dsk-rdd.test\r\n", None),
    "quoted local part": ('From: "anna"@desk.test\r\n', None),
    "Sender takes over": ("From: anna@desk.test\r\nSender: dave@customer.test\r\n", "anna"),
    "Reply-To takes over": ("From: anna@desk.test\r\nReply-To: dave@customer.test\r\n", "anna"),
    "route": ("From: <@desk.test:anna@desk.test>, dave@customer.test\r\n", "dave"),
    "two angles": ("From: <dave@customer.test> <anna@desk.test>\r\n", "dave"),
}


def test_nobody_passes_for_an_agent(world):
    case = Case(world)
    for trick, (headers, login) in SENDERS.items():
        own = login and world.address(login)
        world.send(raw(headers, f"#tag +forged\r\nForged words: {trick}.",
                       f"Re: [#{case.id}] {case.title} [take; prio=high]"), login=login,
                   sender=own or "x@attack.test", to=SUPPORT)
    barrier(world)
    case.untouched()
    with world.mailbox("carol") as box:
        assert not any("Forged words" in text_of(m) for m in box.mails())


RESULTS = {
    "own id": "mx.desk.test; dmarc=pass header.from=desk.test",
    "own id, quoted": '"mx.desk.test"; dmarc=pass header.from=desk.test',
    "own id in capitals": "MX.DESK.TEST; dmarc=pass header.from=desk.test",
    "own id behind a comment": "(hello) mx.desk.test; dmarc=pass header.from=desk.test",
    "own id in a comment": "evil.test (mx.desk.test); dmarc=pass header.from=desk.test",
    "results in a comment": "evil.test; dmarc=none (mx.desk.test; dmarc=pass header.from=desk.test)",
    "longer id": "mx.desk.test.evil.test; dmarc=pass header.from=desk.test",
    "version": "mx.desk.test 1; dmarc=pass header.from=desk.test",
    "another domain": "mx.desk.test; dmarc=pass header.from=evil.test",
    "no id": "dmarc=pass header.from=desk.test",
    "dkim of others": "mx.desk.test; dkim=pass header.d=evil.test",
    "folded": "\r\n mx.desk.test;\r\n\tdmarc=pass header.from=desk.test",
}


def test_a_forged_result_proves_nothing(world):
    case = Case(world)
    received = "Received: from x by mx.desk.test; Mon, 2 Mar 2026 09:00:00 +0000\r\n"
    for name, result in RESULTS.items():
        field = f"Authentication-Results: {result}\r\n"
        for headers in (field + received, received + field):
            world.send(raw(headers + "From: anna@desk.test\r\n", f"Forged words: {name}.",
                           f"[#{case.id}] {case.title} [take]"), sender="x@attack.test", to=SUPPORT)
    barrier(world)
    case.untouched()
    assert len(case.comments()) == 1 + 2 * len(RESULTS)


def test_a_held_agent_is_told_without_a_word_of_it(world):
    """Needs an agent whom no test before imitated: one notice an hour."""
    case = Case(world)
    world.send(raw("From: bob@desk.test\r\n", "Forged words.", f"[#{case.id}] x [take]"),
               sender="x@attack.test", to=SUPPORT)
    with world.mailbox("bob") as box:
        notice = box.wait_mail("the notice", lambda m: "support+c." in str(m["Reply-To"]))
    assert "Forged words" not in notice.as_string()
    case.untouched()
    # The other way round, for the attacks above: confirmed, the same mail does what it says.
    world.send(reply_to(notice, "Bob <bob@desk.test>", "Yes."), login="bob")
    barrier(world)
    assert case.now()["assignee"]["name"] == "Bob"


def test_a_forged_requester_closes_nothing(world):
    case = Case(world)
    for login in (None, "dave"):
        world.send(raw("From: carol@customer.test\r\n", f"Words by {login}.",
                       f"Re: [#{case.id}] {case.title} [close]"), login=login,
                   sender="dave@customer.test" if login else "x@attack.test", to=SUPPORT)
    barrier(world)
    assert case.now()["status"] == "open"
    words = {c["body"].split()[-1]: c["is_internal"] for c in case.comments()[1:]}
    assert words["dave."], "a failing result speaks for nobody"


# ---- tickets and tokens ----

def test_a_guessed_number_shows_nothing(world):
    case = Case(world)
    for number in (case.id, case.id + 1000):
        world.send(new_mail(DAVE, SUPPORT, f"Re: [#{number}] guess {case.id}", "Let me in.\n"),
                   login="dave")
    barrier(world)
    case.untouched()
    assert len(case.comments()) == 1
    assert world.api("dave").get(f"/tickets/{case.id}").status == 404
    with world.mailbox("dave") as box:
        assert not any("It burns" in text_of(m) for m in box.mails())


def test_the_tokens_of_others_prove_nothing(world):
    case = Case(world)
    for_anna, for_carol = case.mail_to("anna"), case.mail_to("carol")
    for address, sender, login in ((for_anna["Reply-To"], DAVE, "dave"),
                                   (for_carol["Reply-To"], DAVE, "dave"),
                                   (for_carol["Reply-To"], ANNA, None)):
        world.send(new_mail(sender, str(address), "Re: x [take]", "Not mine.\n"), login=login)
    world.send(new_mail(DAVE, SUPPORT, "Re: y", "Not mine.\n",
                        In_Reply_To=for_carol["Message-ID"]), login="dave")
    barrier(world)
    case.untouched()
    notes = [c for c in case.comments() if "Not mine" in c["body"]]
    assert len(notes) == 4 and all(c["is_internal"] for c in notes)
    assert world.api("dave").get(f"/tickets/{case.id}").status == 404


@pytest.mark.parametrize("place", ["payload", "tag", "last", "cut"])
def test_a_flipped_bit_is_kept_apart(world, place):
    case = Case(world, place)
    local, _, domain = case.mail_to("anna")["Reply-To"].addresses[0].addr_spec.partition("@")
    dot = local.index(".")
    at = {"payload": dot - 4, "tag": dot + 3, "last": len(local) - 2, "cut": None}[place]
    spoilt = local[:-10] if at is None else \
        local[:at] + ("b" if local[at] == "a" else "a") + local[at + 1:]
    world.send(new_mail(ANNA, f"{spoilt}@{domain}", f"spoilt {case.title} [take]", "Words.\n"),
               login="anna")
    barrier(world)
    case.untouched()
    assert held(world, f"spoilt {case.title} [take]") == "bad_signature"


def make_token(world, ticket, user, day):
    """A reply address as the desk signs it, of any day: with its own key."""
    with world.db() as db:
        value = bytes(db.execute("SELECT value FROM settings WHERE name = 'token_keys'").fetchone()[0])
    key_id, key = value[2], unseal(world, "token_keys", value[6:])[:32]
    numbers = b"".join(bytes([n & 0x7f | 0x80, n >> 7]) if n > 0x7f else bytes([n])
                       for n in (ticket, 0, user, 1 << 4))
    payload = bytes([key_id << 1 | 1]) + numbers + day.to_bytes(2, "big")
    derived = hmac.digest(key, b"maildesk token proof", hashlib.sha256)
    tag = hmac.digest(derived, payload, hashlib.sha256)[:16]
    text = [base64.b32encode(b).decode().rstrip("=").lower() for b in (payload, tag)]
    return f"support+{'.'.join(text)}@desk.test"


@pytest.mark.parametrize("age, joins", [(0, True), (13, True), (15, False), (400, False)])
def test_an_expired_token_is_none(world, age, joins):
    case = Case(world, f"aged {age}")
    user = case.now()["requester"]["id"]
    to = make_token(world, case.id, user, int(time.time() / 86400) - age)
    world.send(new_mail(CAROL, to, f"answer {case.title}", "After some days.\n"), login="carol")
    barrier(world)
    assert any("After some days" in c["body"] for c in case.comments()) == joins
    assert any(t["title"] == f"answer {case.title}" for t in world.staff.tickets()) != joins


# ---- people ----

def test_nobody_is_brought_in_by_an_unproven_mail(world):
    case = Case(world)
    ack = case.mail_to("carol")
    world.send(new_mail(CAROL, SUPPORT, "Re: x", "Dave, too.\n", Cc=DAVE,
                        In_Reply_To=ack["Message-ID"]))
    barrier(world)
    answer = world.staff.post(f"/tickets/{case.id}/comments", {"body": "For Carol's eyes."})
    assert answer.status == 201, answer.body
    case.mail_to("carol", "For Carol's eyes.")
    barrier(world)
    with world.mailbox("dave") as box:
        assert not any("For Carol's eyes" in text_of(m) for m in box.mails())
    assert world.api("dave").get(f"/tickets/{case.id}").status == 404


def test_reply_to_takes_nothing_over(world):
    world.count += 1
    title = f"takeover {world.count}"
    world.send(new_mail(CAROL, SUPPORT, title, "Answer to Dave.\n", Reply_To=DAVE), login="carol")
    ticket = world.staff.wait_ticket(title, lambda t: t["title"] == title)
    assert ticket["requester"]["email"] == "carol@customer.test"
    answer = world.staff.post(f"/tickets/{ticket['id']}/comments", {"body": "Secret answer."})
    assert answer.status == 201
    with world.mailbox("carol") as box:
        box.wait_mail("the answer", lambda m: f"[#{ticket['id']}]" in m["Subject"]
                      and "Secret answer." in text_of(m))
    with world.mailbox("dave") as box:
        assert not any("Secret answer" in text_of(m) for m in box.mails())


# ---- reports ----

DSN = """Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
MIME-Version: 1.0\r
"""


def dsn(message_id, recipient):
    return ("--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.test\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n--b\r\n"
            f"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n--b--\r\n")


def test_a_forged_bounce_silences_nobody(world):
    case = Case(world)
    for_carol, for_anna = case.mail_to("carol"), case.mail_to("anna")
    ids = ("<md.1.aaaa.bbbb@desk.test>", "<guess@desk.test>", str(for_carol["Message-ID"]))
    for i, message_id in enumerate(ids):  # the last one is Carol's to know, and not of Anna's mail
        world.send(raw("From: MAILER-DAEMON@mx.test\r\n" + DSN, dsn(message_id, "anna@desk.test"),
                       f"Undelivered {case.id}.{i}"), sender="", to=SUPPORT)
    barrier(world)
    assert held(world, f"Undelivered {case.id}.0") == "bounce_unknown"
    assert held(world, f"Undelivered {case.id}.1") == "bounce_unknown"
    later = Case(world)
    later.mail_to("anna")  # she is written to as before
    case.untouched()
    assert for_anna["Return-Path"].startswith("<support+b."), "where real bounces come to"


# ---- commands ----

def test_the_same_mail_again_runs_nothing(world):
    case = Case(world)
    mail = world.send(new_mail(ANNA, SUPPORT, f"[#{case.id}] x [take]", "Mine.\n"), login="anna")
    barrier(world)
    now = case.now()
    assert now["assignee"]["name"] == "Anna"
    assert world.staff.patch(f"/tickets/{case.id}", {"assignee": None}).status == 200
    again = b"X-Original-To: support@desk.test\r\nX-Spam-Status: No\r\n" + mail.as_bytes()
    world.send(again, login="anna")
    barrier(world)
    assert case.now()["assignee"] is None
    assert sum("Mine." in c["body"] for c in case.comments()) == 1


def test_what_others_wrote_commands_nothing(world):
    """In a quote, in the title of the ticket, in a mail that is passed on or attached."""
    case = Case(world, "Help [take; prio=high]")
    notice = case.mail_to("anna")
    answer = reply_to(notice, ANNA, "We look at it.\n\n> #take\n> #prio high")
    assert "[take; prio=high]" in answer["Subject"]
    world.send(answer, login="anna")
    barrier(world)
    now = case.now()
    assert (now["status"], now["priority"], now["assignee"]) == ("open", "medium", None)
    block = ("---------- Forwarded message ---------\nFrom: Carol <carol@customer.test>\n"
             "Date: Mon, 2 Mar 2026 at 08:00\nSubject: Urgent [prio=critical]\n"
             "To: <anna@desk.test>\n\n#prio critical\nIt burns.\n")
    world.send(new_mail(ANNA, SUPPORT, "Fwd: Urgent [prio=critical]", block), login="anna")
    ticket = world.staff.wait_ticket("the customer's", lambda t: t["title"].startswith("Urgent"))
    assert ticket["priority"] == "medium" and ticket["requester"]["email"] == "carol@customer.test"
    inner = raw("From: anna@desk.test\r\nAuthentication-Results: mx.desk.test; dmarc=pass "
                "header.from=desk.test\r\n", "#take", f"[#{case.id}] x [take]").decode()
    world.send(raw("From: dave@customer.test\r\nContent-Type: message/rfc822\r\n", inner,
                   f"attached {case.id}"), login="dave", sender="dave@customer.test", to=SUPPORT)
    barrier(world)
    assert case.now()["assignee"] is None


# ---- loops and bombs ----

def test_what_an_agent_quotes_stays_with_agents(world):
    case = Case(world)
    bob = world.api("bob")
    assert world.staff.patch(f"/tickets/{case.id}", {"assignee": "anna@desk.test"}).status == 200
    bob.post(f"/tickets/{case.id}/comments", {"body": "Words for agents.", "is_internal": True})
    note = case.mail_to("anna", "Words for agents.")
    answer = reply_to(note, ANNA, "#tag +difficult\nHello Carol.")
    quoted = text_of(note).replace("\n", "<br>")
    answer.add_alternative(f"<p>#tag +difficult<br>Hello Carol.</p><blockquote>{quoted}</blockquote>", subtype="html")
    world.send(answer, login="anna")
    barrier(world)
    whole = case.comments()[-1]
    assert whole["body"] == "Hello Carol."
    assert all("Words for agents." in whole[k] for k in ("body_full", "body_html"))
    carol = world.api("carol")
    for shown in (carol.comments(case.id), carol.get(f"/comments/{whole['id']}").json):
        for word in ("Words for agents.", "difficult", str(note["Reply-To"]).partition("+")[2].partition(".")[0]):
            assert word not in str(shown)


def test_our_own_headers_do_not_come_in(world):
    case = Case(world)
    loop = str(case.mail_to("carol")["X-Maildesk-Loop"])
    mail = new_mail(CAROL, SUPPORT, f"looped {case.id}", "x\n")
    mail["X-Maildesk-Loop"] = loop
    world.send(mail, login="carol")
    other = new_mail(CAROL, SUPPORT, f"other desk {case.id}", "x\n")
    other["X-Maildesk-Loop"] = "00000000-0000-4000-8000-000000000000"
    world.send(other, login="carol")
    ours = new_mail(f"Desk <{SUPPORT}>", SUPPORT, f"from us {case.id}", "x\n")
    world.send(ours)
    barrier(world)
    assert held(world, f"looped {case.id}") == "loop"
    assert held(world, f"from us {case.id}") == "loop"
    titles = [t["title"] for t in world.staff.tickets()]
    assert f"looped {case.id}" not in titles and f"from us {case.id}" not in titles
    last = Case(world)
    last.mail_to("carol")
    with world.mailbox("carol") as box:
        assert not any(f"other desk {case.id}" in m["Subject"] for m in box.mails()), "answered"


def test_acknowledgements_are_no_bomb(world):
    """Mails in Dave's name: he gets two answers of one subject, and not a word of theirs."""
    world.count += 1
    subject = f"Buy cheap pills {world.count}"
    for i in range(12):
        world.send(new_mail(DAVE, SUPPORT, f"{'Re: ' * (i % 3)}{subject}", f"http://evil.test/{i}\n"))
    world.send(new_mail(DAVE, SUPPORT, f"after {subject}", "x\n"), login="dave")
    with world.mailbox("dave") as box:
        box.wait_mail("the last answer", lambda m: f"after {subject}" in m["Subject"])
        answers = [m for m in box.mails() if re.search(rf"\] (Re: )*{subject}$", m["Subject"])]
    assert len(answers) == 2 and not any("evil.test" in text_of(m) for m in answers)
    stranger = new_mail("Cheap Watches <carol+stranger@customer.test>", SUPPORT,
                        "Buy cheap watches", "http://evil.test/watches\n")
    world.send(stranger)
    ticket = world.staff.wait_ticket("it", lambda t: t["title"] == "Buy cheap watches")
    with world.mailbox("carol") as box:
        answer = box.wait_mail("the answer", lambda m: m["Subject"].startswith(f"[#{ticket['id']}]"))
    assert "atches" not in answer.as_string(), "no word of a stranger is passed on"


def test_codes_are_not_harvested(world):
    """Signing up elsewhere with one's reply address at the desk: the code is for agents alone."""
    world.count += 1
    title = f"my ticket {world.count}"
    world.send(new_mail(DAVE, SUPPORT, title, "Hello.\n"), login="dave")
    ticket = world.staff.wait_ticket(title, lambda t: t["title"] == title)
    with world.mailbox("dave") as box:
        ack = box.wait_mail("the answer", lambda m: f"[#{ticket['id']}]" in m["Subject"])
    for to, code in ((str(ack["Reply-To"]), "271828"), (SUPPORT, "314159")):
        world.send(new_mail("Service <no-reply@customer.test>", to, "Your verification code",
                            f"Your code is {code}.\n"))
    barrier(world)
    assert any("271828" in c["body"] and c["is_internal"] for c in world.staff.comments(ticket["id"]))
    assert "271828" not in str(world.api("dave").comments(ticket["id"]))
    other = next(t for t in world.staff.tickets() if t["title"] == "Your verification code")
    assert all(c["is_internal"] for c in world.staff.comments(other["id"]))
    case = Case(world)
    case.mail_to("carol")
    for name in ("dave", "carol"):
        with world.mailbox(name) as box:
            assert not any(code in text_of(m) for code in ("271828", "314159") for m in box.mails())
