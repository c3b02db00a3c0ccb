"""Mails kept away from tickets, and what people do about them; every mail's decision."""
import json
import subprocess

import pytest

import lib

DESK = """\
rule "monitoring" { match "from" { pattern = 'dave@' } match "X-Monitor" { pattern = "^db" }
    set "priority" { value = "high" } tag = {"monitoring"} set "assignee" { value = "bob@desk.test" } }
rule "gone" { match "from" { pattern = 'dave@' } set "assignee" { value = "nobody@desk.test" } }
rule "no" { match "subject" { pattern = "^viagra" } action = "quarantine" }
rule "drop" { match "subject" { pattern = "^newsletter" } action = "discard" }
"""


@pytest.fixture(scope="module")
def api(desk):
    return desk.api("anna")


def write(desk, name, subject, body, **headers):
    return desk.send(lib.new_mail(desk.address(name), desk.address("support"), subject, body,
                                  **headers), login=name)


def command(desk, *args, stdin=None):
    return subprocess.run([lib.MAILDESK, *args, "--config", desk["config"]], text=True, input=stdin,
                          capture_output=True, timeout=lib.PATIENCE)


def held(api, cause, subject):
    return lib.wait_for(f"{subject} in quarantine", lambda: next(
        (h for h in api.get("/quarantine", per_page=100).json["items"]
         if h["subject"] == subject and h["cause"] == cause), None))


def decision(api, message):
    answer = api.get(f"/messages/{message}/decision")
    assert answer.status == 200
    return answer.json


def test_a_rule_fills_in_new_tickets(desk, api):
    write(desk, "dave", "Disk full", "State: critical\n", X_Monitor="db1")
    ticket = api.wait_ticket("its ticket", lambda t: t["title"] == "Disk full")
    assert ticket["priority"] == "high"
    assert ticket["assignee"]["name"] == "Bob"
    assert [t["name"] for t in ticket["tags"]] == ["monitoring"]
    history = api.get(f"/tickets/{ticket['id']}/history").json["items"]
    assert {h["action"] for h in history if h["source"] == "rule"} >= {"assignee", "tag_added"}
    comments = api.comments(ticket["id"])
    rules = {r["rule"]: r for r in decision(api, comments[0]["message"])["rules"]}
    assert rules["rule:monitoring"]["evidence"] == "from: dave@; X-Monitor: db"
    assert "nobody@desk.test" in rules["rule:gone"]["evidence"]  # in vain, and said so


def test_the_html_of_a_mail_is_shown_without_what_harms(desk, api):
    mail = lib.new_mail(desk.address("carol"), desk.address("support"), "In colour", "Plain\n")
    mail.add_alternative('<p onclick="x()">Rich <b>text</b><script>x</script>'
                         '<img src="http://t.test/p.gif"></p>\n', subtype="html")
    desk.send(mail, login="carol")
    ticket = api.wait_ticket("its ticket", lambda t: t["title"] == "In colour")
    comment = api.comments(ticket["id"])[0]
    assert comment["body"] == "Plain"
    assert "<b>text</b>" in comment["body_html"] and 'data-src="http://t.test' in comment["body_html"]
    assert "script" not in comment["body_html"] and "onclick" not in comment["body_html"]
    assert api.patch(f"/comments/{comment['id']}", {"body": "x"}).status == 403


def test_what_a_rule_holds_back_can_be_let_in(desk, api):
    write(desk, "carol", "viagra for the office plants", "They need it.\n")
    row = held(api, "spam", "viagra for the office plants")
    assert row["detail"] == 'rule "no"' and row["from"] == "carol@customer.test"
    assert decision(api, row["message"])["outcome"] == "quarantined"
    assert api.get(f"/quarantine/{row['id']}").json == row
    anna = desk.accounts["anna"]
    console = lib.Api(desk["http"])
    console.token = desk.api().post("/auth/token", {
        "email": anna["address"], "password": anna["password"], "cookie": True}).json["access_token"]
    answer = console.post(f"/quarantine/{row['id']}/release", {})
    assert answer.status == 200, answer.body
    assert answer.json["outcome"] == "ticket_created"
    ticket = answer.json["ticket"]
    assert api.get(f"/tickets/{ticket}").json["title"] == row["subject"]
    assert decision(api, row["message"])["ticket"] == ticket
    history = api.get(f"/tickets/{ticket}/history").json["items"]
    assert [(h["actor"]["name"], h["source"]) for h in history
            if h["action"] == "released"] == [("Anna", "console")]
    assert api.get(f"/quarantine/{row['id']}").status == 404
    assert api.post(f"/quarantine/{row['id']}/release", {}).status == 404


def test_what_a_rule_discards_makes_nothing_but_is_known(desk, api):
    mail = write(desk, "carol", "newsletter 12", "Buy!\n")
    write(desk, "carol", "after the newsletter", "Hello\n")
    ticket = api.wait_ticket("the next mail", lambda t: t["title"] == "after the newsletter")
    assert not [t for t in api.tickets() if t["title"] == "newsletter 12"]
    number = api.comments(ticket["id"])[0]["message"]
    earlier = [decision(api, n) for n in range(1, number)
               if api.get(f"/messages/{n}/decision").status == 200]
    assert "discarded" in [d["outcome"] for d in earlier], mail["Message-ID"]


def test_a_blocked_sender_is_held_back_until_unblocked(desk, api):
    answer = api.post("/blocked-senders", {"domain": "Customer.test"})
    assert answer.status == 201 and answer.json["domain"] == "customer.test", answer.body
    write(desk, "carol", "Am I blocked?", "Hello\n")
    row = held(api, "blocked_sender", "Am I blocked?")
    listed = api.get("/blocked-senders").json["items"]
    assert [b["id"] for b in listed] == [answer.json["id"]]
    assert api.request("DELETE", f"/blocked-senders/{answer.json['id']}").status == 204
    assert api.request("DELETE", f"/blocked-senders/{answer.json['id']}").status == 404
    write(desk, "carol", "And now?", "Hello\n")
    api.wait_ticket("an unblocked mail", lambda t: t["title"] == "And now?")
    assert api.request("DELETE", f"/quarantine/{row['id']}").status == 204
    assert api.get(f"/quarantine/{row['id']}").status == 404


@pytest.mark.parametrize("body, says", [
    ({}, "one of address and domain"), ({"address": "x@y.test", "domain": "y.test"}, "one of"),
    ({"address": "no address"}, "no mail address"), ({"domain": "a b"}, "no domain"),
])
def test_bad_senders_are_refused(api, body, says):
    answer = api.post("/blocked-senders", body)
    assert answer.status == 422 and says in answer.json["detail"]


def test_customers_see_nothing_of_it(desk):
    carol = desk.api("carol")
    for path in ("/quarantine", "/quarantine/1", "/blocked-senders"):
        assert carol.get(path).status == 403
    assert carol.post("/quarantine/1/release", {}).status == 403
    assert carol.post("/blocked-senders", {"domain": "x.test"}).status == 403


def test_our_servers_spam_mark_counts_and_a_forged_one_does_not(desk, api):
    write(desk, "carol", "I call myself spam", "Hello\n", X_Spam_Flag="YES")
    api.wait_ticket("a mail that lies about itself", lambda t: t["title"] == "I call myself spam")
    marked = ("X-Spam-Flag: YES\nReceived: from x by mx.desk.test; Mon, 2 Mar 2026 09:00:00 +0000\n"
              "From: eve@else.test\nTo: support@desk.test\nSubject: marked\n"
              "Message-ID: <marked@else.test>\n\nBuy!\n")
    assert command(desk, "ingest", stdin=marked).stdout == "quarantined spam\n"


def test_the_command_line_does_the_same(desk, api):
    write(desk, "carol", "viagra again", "Please.\n")
    row = held(api, "spam", "viagra again")
    rows = [json.loads(line) for line in
            command(desk, "quarantine", "list", "--json").stdout.splitlines()]
    assert row in rows
    shown = command(desk, "quarantine", "show", str(row["id"]))
    assert "Subject: viagra again" in shown.stdout and 'rule "no"' in shown.stdout
    done = command(desk, "quarantine", "release", str(row["id"]))
    assert done.returncode == 0 and done.stdout.startswith("ticket_created, ticket #"), done.stderr
    gone = command(desk, "quarantine", "release", str(row["id"]))
    assert gone.returncode != 0 and gone.stderr
    assert command(desk, "quarantine", "delete", "x").returncode == 64


def test_decide_says_what_would_be_done_and_does_nothing(desk, api):
    before = len(api.tickets())
    mail = ("From: dave@customer.test\nTo: support@desk.test\nSubject: Disk full too\n"
            "X-Monitor: db7\nMessage-ID: <dry@else.test>\n\nHelp\n")
    done = command(desk, "decide", "--json", stdin=mail)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["outcome"] == "ticket_created" and said["trust"] == 1
    assert [r["matched"] for r in said["rules"] if r["rule"] == "rule:monitoring"] == [True]
    text = command(desk, "decide", stdin=mail).stdout
    assert text.startswith("ticket_created, ticket #") and "+ rule:monitoring:" in text
    assert len(api.tickets()) == before
    assert command(desk, "ingest", stdin=mail).stdout == "ticket_created\n"  # not seen before
    assert command(desk, "decide", stdin=mail).stdout.startswith("duplicate, ticket #")


def test_replay_gives_the_same(tmp_path, start_world):
    world = start_world(fragment='trust { unknown_sender = "accept" }\n')
    api = world.api("anna")
    first = write(world, "carol", "One", "First\n")
    ticket = api.wait_ticket("a ticket", lambda t: t["title"] == "One")
    ack = world.mailbox("carol").wait_mail("the acknowledgement")
    world.send(lib.reply_to(ack, "carol@customer.test", "More"), login="carol")
    lib.wait_for("the comment", lambda: len(api.comments(ticket["id"])) == 2)
    write(world, "dave", "Two", "Second\n", References=first["Message-ID"])
    lib.wait_for("the stranger's", lambda: len(api.comments(ticket["id"])) == 3)
    done = command(world, "replay")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 mails, 0 came out differently" in done.stderr
    kept = command(world, "replay", "--into", f"sqlite:{tmp_path}/new.db")
    assert kept.returncode == 0, kept.stderr
    again = command(world, "replay", "--into", f"sqlite:{tmp_path}/new.db")
    assert again.returncode != 0 and "name an empty one" in again.stderr
