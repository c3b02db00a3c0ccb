"""Mails in and out, as the API shows them."""
import email
import email.policy

import pytest

import lib


@pytest.fixture(scope="module")
def mail(desk):
    """A mail of Carol's, with Dave in copy, that became a ticket."""
    sent = lib.new_mail("Carol <carol@customer.test>", "support@desk.test", "Where do mails go?",
                        "Somewhere.\n", Cc="dave@customer.test", In_Reply_To="<before@client.test>",
                        References="<first@client.test> <before@client.test>")
    sent.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(100), maintype="image", subtype="png",
                        filename="screen.png")
    return desk.send(sent, login="carol")


@pytest.fixture(scope="module")
def ticket(desk, mail):
    return desk.api("anna").wait_ticket("the ticket", lambda t: t["title"] == mail["Subject"])


def bare(mail_id):
    return mail_id.strip("<>")


def only(answer):
    assert answer.status == 200, answer.body
    assert answer.json["total"] == 1, answer.body
    return answer.json["items"][0]


def test_a_mail_is_shown_with_all_its_head(desk, mail, ticket):
    anna = desk.api("anna")
    m = only(anna.get("/messages", message_id=bare(mail["Message-ID"])))
    comment = anna.comments(ticket["id"])[0]
    assert m == anna.get(f"/messages/{m['id']}").json
    assert m["direction"] == "in" and m["kind"] == "normal" and m["trust"] == 1 or m["trust"] == 2
    assert m["in_reply_to"] == ["before@client.test"]
    assert m["references"] == ["first@client.test", "before@client.test"]
    assert m["from"] == "carol@customer.test" and m["to"] == ["support@desk.test"]
    assert m["cc"] == ["dave@customer.test"] and m["subject"] == mail["Subject"]
    assert (m["ticket"], m["comment"], m["mailbox"]) == (ticket["id"], comment["id"], "support")
    assert comment["message"] == m["id"] and m["state"] is None
    assert [a["filename"] for a in m["attachments"]] == ["screen.png"]
    assert m["attachments"] == comment["attachments"]


def test_its_bytes_are_a_file_and_no_page(desk, mail, ticket):
    anna = desk.api("anna")
    m = only(anna.get("/messages", message_id=mail["Message-ID"]))
    raw = anna.request("GET", f"/messages/{m['id']}/raw", headers={"Accept-Encoding": "gzip"})
    assert raw.status == 200 and len(raw.body) == m["size"]
    assert raw.headers["Content-Type"] == "message/rfc822"
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    assert raw.headers["Content-Disposition"].startswith("attachment")
    assert raw.headers["Content-Encoding"] is None
    kept = email.message_from_bytes(raw.body, policy=email.policy.default)
    assert kept["Message-ID"] == mail["Message-ID"] and "Received" in kept
    assert anna.get("/messages/999999/raw").status == 404
    assert anna.get("/messages/999999").status == 404


def test_what_was_sent_is_there_with_its_state(desk, mail, ticket):
    anna = desk.api("anna")
    ack = desk.mailbox("carol").wait_mail("the acknowledgement",
                                           lambda m: f"[#{ticket['id']}]" in m["Subject"])
    sent = lib.wait_for("its delivery", lambda: next(
        (m for m in anna.get("/messages", ticket=ticket["id"], direction="out").json["items"]
         if m["to"] == ["carol@customer.test"] and m["state"] == "sent"), None))
    assert sent["message_id"] == bare(ack["Message-ID"])
    assert [f"<{i}>" for i in sent["in_reply_to"]] == [ack["In-Reply-To"]]
    assert sent["references"] == [bare(i) for i in ack["References"].split()]
    assert sent["smtp_reply"].startswith("250") and sent["from"] == "support@desk.test"
    assert sent["comment"] == anna.comments(ticket["id"])[0]["id"]
    raw = anna.get(f"/messages/{sent['id']}/raw")
    assert email.message_from_bytes(raw.body)["Message-ID"] == ack["Message-ID"]


@pytest.mark.parametrize("query, there", [
    ({"direction": "in"}, True), ({"direction": "out"}, False), ({"direction": "in,out"}, True),
    ({"kind": "normal"}, True), ({"kind": "bounce"}, False), ({"kind": "bounce,normal"}, True),
    ({"outcome": "ticket_created"}, True), ({"outcome": "discarded"}, False),
    ({"mailbox": "support"}, True), ({"mailbox": "sales,support"}, True), ({"mailbox": "sales"}, False),
])
def test_filters(desk, mail, ticket, query, there):
    answer = desk.api("anna").get("/messages", message_id=bare(mail["Message-ID"]), **query)
    assert answer.status == 200 and answer.json["total"] == int(there), answer.body


@pytest.mark.parametrize("query", [{"kind": "nonsense"}, {"direction": "sideways"},
                                   {"ticket": "x"}, {"form": "1"}])
def test_bad_filters_are_refused(desk, query):
    assert desk.api("anna").get("/messages", **query).status == 400


def test_a_customer_sees_the_public_part(desk, mail, ticket):
    anna, carol, dave = (desk.api(n) for n in ("anna", "carol", "dave"))
    path = f"/tickets/{ticket['id']}/messages"
    note = anna.post(f"/tickets/{ticket['id']}/comments", {"body": "psst", "is_internal": True})
    assert note.status == 201
    all_of_it = anna.get(path, per_page=100).json["items"]
    assert {tuple(m["to"]) for m in all_of_it} > {("carol@customer.test",), ("support@desk.test",)}
    hers = carol.get(path, per_page=100).json["items"]
    assert {(m["from"], *m["to"]) for m in hers} == {("carol@customer.test", "support@desk.test"),
                                                     ("support@desk.test", "carol@customer.test")}
    his = dave.get(path, per_page=100).json["items"]
    assert [(m["from"], m["to"], m["cc"], m["references"]) for m in his
            if m["direction"] == "in"] == [(None, [], [], [])]
    for path in ("/messages", f"/messages/{hers[0]['id']}", f"/messages/{hers[0]['id']}/raw"):
        assert carol.get(path).status == 403
