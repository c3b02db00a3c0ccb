"""Letters as they arrive: nothing breaks out of them, and their readers can leave."""
import base64
import re

import pytest

from lib import new_mail, reply_to, text_of, wait_for

SUPPORT = "support@desk.test"
EVIL = ["x\r\nBcc: dave@customer.test", "x\nBcc: dave@customer.test\n\nbody", "x\rBcc: y@z.test",
        "x\u2028Bcc: y@z.test", "=?utf-8?q?x=0D=0ABcc:_dave@customer.test?=",
        '"x" <dave@customer.test>, y', "x\\\"\r\n Bcc: y@z.test", "\x00x\x1b[31m\x7f"]


@pytest.fixture(scope="module")
def world(desk):
    desk.staff = desk.api("anna")
    return desk


def newest_to_carol(world, subject):
    with world.mailbox("carol") as box:
        return box.wait_mail(subject, lambda m: subject in str(m["Subject"]))


def open_ticket(world, subject):
    world.send(new_mail("Carol <carol@customer.test>", SUPPORT, subject, "Hello.\n"), login="carol")
    return world.staff.wait_ticket(subject, lambda t: t["title"] == subject)


def test_a_click_mutes_the_ticket(world):
    ticket = open_ticket(world, "One click")
    ack = newest_to_carol(world, "One click")
    assert ack["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url, mailto = re.fullmatch(r"<([^>]+)>, <(mailto:[^>]+)>",
                               str(ack["List-Unsubscribe"]).strip()).groups()
    path = "/" + url[url.index("/u/"):]  # the sandbox's desk is where the API is
    assert "subject=" in mailto and url in text_of(ack)
    muted = lambda: [p["muted"] for p in world.staff.get(f"/tickets/{ticket['id']}").json[
        "participants"]] == [True]

    page = world.api().request("GET", path)
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert b'<form method="post">' in page.body and b"<script" not in page.body
    assert not muted(), "a GET changes nothing"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert world.api().request("POST", path, b"x=y", form).status == 422
    assert not muted()
    for _ in range(2):  # mail programs try again
        done = world.api().request("POST", path, b"List-Unsubscribe=One-Click", form)
        assert done.status == 200 and b"no more mails" in done.body
    assert muted()
    # the next answer does not reach her; what comes after it in another ticket does
    world.staff.post(f"/tickets/{ticket['id']}/comments", {"body": "Not for Carol"})
    open_ticket(world, "After the click")
    newest_to_carol(world, "After the click")
    with world.mailbox("carol") as box:
        assert not any("Not for Carol" in text_of(m) for m in box.mails())


@pytest.mark.parametrize("token", ["x", "aaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa", "a/b", "%2e%2e",
                                   "a" * 300])
def test_no_other_link_does(world, token):
    for method, body in (("GET", None), ("POST", b"List-Unsubscribe=One-Click")):
        assert world.api().request(method, f"//u/{token}", body).status == 404


def test_a_changed_link_does_not(world):
    open_ticket(world, "Changed link")
    ack = newest_to_carol(world, "Changed link")
    path = re.search(r"/u/([a-z2-7.]+)", str(ack["List-Unsubscribe"])).group(0)
    for at in (4, len(path) - 3):
        other = path[:at] + ("b" if path[at] == "a" else "a") + path[at + 1:]
        assert world.api().request("GET", "/" + other).status == 404
    assert world.api().request("GET", "/" + path).status == 200


def test_nothing_breaks_out_of_a_header(world):
    """Titles and names that try to be more than one line, in the acknowledgement and the answer."""
    for n, evil in enumerate(EVIL):
        title = base64.b64encode(evil.encode()).decode()
        name = base64.b64encode(b"Eve\r\nBcc: y@z.test").decode()
        raw = (f"From: =?utf-8?b?{name}?= <carol@customer.test>\r\nTo: {SUPPORT}\r\n"
               f"Message-ID: <evil{n}@customer.test>\r\nSubject: =?utf-8?b?{title}").encode()
        world.send(raw + b"?=\r\n\r\nHello.\r\n", login="carol", sender="carol@customer.test",
                   to=SUPPORT)

    def arrived():
        found = [t for t in world.staff.tickets()
                 if "Bcc" in t["title"] or t["title"].startswith(("x", '"x"'))]
        return found if len(found) == len(EVIL) else None
    tickets = wait_for("all of them", arrived)
    for t in tickets:
        assert not set(t["title"]) & set("\r\n\x00\x1b\x7f\u2028")
        world.staff.post(f"/tickets/{t['id']}/comments", {"body": f"answer {t['id']}"})
    with world.mailbox("carol") as carol:
        for t in tickets:
            carol.wait_mail("answer", lambda m, t=t: f"answer {t['id']}" in text_of(m))
        mails = [m for m in carol.mails()
                 if any(f"[#{t['id']}]" in str(m["Subject"]) for t in tickets)]
    assert len(mails) >= 2 * len(tickets)
    for m in mails:
        assert m["Bcc"] is None and len(m.get_all("To")) == 1
        assert [a.addr_spec for a in m["To"].addresses] == ["carol@customer.test"]
        assert [a.addr_spec for a in m["From"].addresses] == [SUPPORT]
        assert not m.defects
    with world.mailbox("dave") as dave:
        assert not any(f"[#{t['id']}]" in str(m["Subject"]) for m in dave.mails() for t in tickets)


@pytest.mark.parametrize("body", [
    "before\n.\nMAIL FROM:<x@y.test>\nRCPT TO:<dave@customer.test>\nDATA\nsmuggled\n.\nafter",
    "before\r\n.\r\nafter", "before\n..\nafter", "before\n.hidden\nafter", "before\r.\rafter",
    "before\r\n.\nafter", ".", ".\n.", "From me\n.\nFrom you",
])
def test_a_body_ends_where_its_mail_ends(world, body):
    """SMTP smuggling: lone dots and lone line ends reach the reader as text."""
    subject = f"Smuggling {abs(hash(body))}"
    ticket = open_ticket(world, subject)
    answer = world.staff.post(f"/tickets/{ticket['id']}/comments", {"body": body})
    if answer.status == 422:  # a lone CR is no text
        assert "\r" in body
        return
    assert answer.status == 201, answer.body
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    with world.mailbox("carol") as carol:
        mail = carol.wait_mail("the answer", lambda m: subject in str(m["Subject"]) and
                               lines[-1] in text_of(m) and not m["Auto-Submitted"])
    got = text_of(mail).replace("\r\n", "\n")
    assert "\n".join(lines) in got, got
    assert "[md:" in got, "all of the mail is there, to its end"
    with world.mailbox("dave") as dave:
        assert not any(text_of(m).startswith("smuggled") for m in dave.mails())


PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/eL9GtQAAAABJRU5E"
                       "rkJggg==")
WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document"


def answer_with_files(world, ticket, subject, *files):
    """Anna's answer by mail, with these (bytes, type, subtype, name)."""
    with world.mailbox("anna") as anna:
        told = anna.wait_mail(subject, lambda m: f"[#{ticket['id']}]" in str(m["Subject"]))
    mail = reply_to(told, "Anna <anna@desk.test>", "See the files.")
    mail.add_alternative('<p>See the files. <img src="cid:logo@anna"></p>', subtype="html")
    mail.get_payload()[1].add_related(PNG, "image", "png", cid="<logo@anna>", filename="logo.png",
                                     disposition="inline")
    for data, kind, subtype, name in files:
        mail.add_attachment(data, maintype=kind, subtype=subtype, filename=name)
    world.send(mail, login="anna")
    with world.mailbox("carol") as carol:
        return carol.wait_mail("the answer", lambda m: subject in str(m["Subject"]) and
                               "See the files." in text_of(m))


def test_files_of_an_answer_reach_the_customer(world):
    subject = "With files"
    ticket = open_ticket(world, subject)
    mail = answer_with_files(world, ticket, subject, (b"PK\x00word", "application", WORD, "ü.docx"),
                             (b"x,y\r\n", "text", "csv", "a.csv"))
    assert not mail.defects
    files = {p.get_filename(): (p.get_content_type(), p.get_payload(decode=True))
             for p in mail.iter_attachments() if p.get_filename()}
    assert files == {"ü.docx": (f"application/{WORD}", b"PK\x00word"),
                     "a.csv": ("text/csv", b"x,y\r\n")}
    [image] = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert image.get_payload(decode=True) == PNG
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in mail.get_body(("html",)).get_content()


def test_large_files_are_links(start_world):
    world = start_world(fragment='desk { max_outbound = "1K" }\n')
    world.staff = world.api("anna")
    subject, large = "Large file", bytes(range(256)) * 40
    ticket = open_ticket(world, subject)
    mail = answer_with_files(world, ticket, subject, (large, "text", "html", "x.html"))
    assert [p.get_filename() for p in mail.walk() if p.get_filename()] == ["logo.png"]
    url = re.search(r"x\.html \(1\u00a0MB\) <(\S+)>", text_of(mail)).group(1)
    path = "/" + url[url.index("/a/"):]
    got = world.api().request("GET", path)
    assert got.status == 200 and got.body == large
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"] == 'attachment; filename="x.html"'
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    other = path[:-3] + ("b" if path[-3] == "a" else "a") + path[-2:]
    assert world.api().request("GET", other).status == 404
    # the link ends with the comment
    answer = [c for c in world.staff.comments(ticket["id"]) if "See the files" in c["body"]][-1]
    assert world.staff.request("DELETE", f"/comments/{answer['id']}").status == 204
    assert world.api().request("GET", path).status == 404
