"""An agent's day from a mail client alone; the command language at the prompt; its manual page."""
import pathlib
import re
import urllib.parse

import pytest

from lib import new_mail, reply_to, run, text_of, wait_for

CAROL = "Carol <carol@customer.test>"
ANNA = "Anna <anna@desk.test>"
SUPPORT = "support@desk.test"
MANUAL = pathlib.Path(__file__).parents[2] / "man" / "maildesk-commands.7"


@pytest.fixture(scope="module")
def world(desk):
    desk.staff = desk.api("anna")
    return desk


class Client:
    """Anna's mail client: she sends, and waits for what comes of it."""

    def __init__(self, world):
        self.world = world
        self.seen = set()

    def send(self, mail):
        self.world.send(mail, login="anna")

    def wait(self, what, *texts, subject=""):
        """The next mail with these words that was not waited for before."""
        with self.world.mailbox("anna") as box:
            mail = box.wait_mail(what, lambda m: m["Message-ID"] not in self.seen and
                                 subject in m["Subject"] and
                                 all(t in text_of(m) for t in texts))
        self.seen.add(mail["Message-ID"])
        return mail

    def ask(self, body, subject="Question"):
        """A new mail to the desk's plain address."""
        self.send(new_mail(ANNA, SUPPORT, subject, body))


@pytest.fixture
def anna(world):
    return Client(world)


def open_ticket(world, subject, login="carol"):
    mail = new_mail(f"{login.title()} <{login}@customer.test>", SUPPORT, subject, "Please help.\n")
    world.send(mail, login=login)
    return world.staff.wait_ticket(subject, lambda t: t["title"] == subject)


def state(world, ticket):
    return world.staff.get(f"/tickets/{ticket['id']}").json


def wait_state(world, ticket, what, matches):
    return wait_for(what, lambda: next((t for t in [state(world, ticket)] if matches(t)), None))


def links_of(mail):
    """{label: (to, subject)} of the links to tap."""
    found = re.findall(r"^(\w+) <(mailto:\S+)>", text_of(mail), re.MULTILINE)
    links = {}
    for label, href in found:
        url = urllib.parse.urlsplit(href)
        links[label] = (urllib.parse.unquote(url.path),
                        urllib.parse.parse_qs(url.query)["subject"][0])
    return links


def test_the_list_a_ticket_and_taking_it(world, anna):
    ticket = open_ticket(world, "Toner is empty")
    notice = anna.wait("the notification", subject="Toner is empty")
    anna.ask("#list unassigned\n")
    answer = anna.wait("the list", "Toner is empty", f"#{ticket['id']}", subject="Re: Question")
    html = answer.get_body(("html",)).get_content()
    assert "<table" in html and "Toner is empty" in html
    before = len(world.staff.tickets())
    anna.ask(f"#show {ticket['id']}\n")
    anna.wait("the ticket", "Please help.", "Carol", subject="Re: Question")
    assert len(world.staff.tickets()) == before, "a question is no ticket"

    to, subject = links_of(notice)["Take"]
    anna.send(new_mail(ANNA, to, subject, "\n"))
    now = wait_state(world, ticket, "Anna to have it", lambda t: t["assignee"])
    assert now["assignee"]["name"] == "Anna" and now["status"] == "in_progress"
    assert len(world.staff.comments(ticket["id"])) == 1, "a command alone says nothing"


def test_a_whole_day_on_one_ticket(world, anna):
    ticket, other = open_ticket(world, "Paper jam"), open_ticket(world, "Paper is out", "dave")
    tag = f"[#{ticket['id']}]"
    notice = anna.wait("the notification", subject="Paper jam")
    anna.send(reply_to(notice, ANNA, "#take\n#priority high\n#tag +paper\nI am on my way."))
    with world.mailbox("carol") as box:
        box.wait_mail("the answer", lambda m: tag in m["Subject"] and
                      "on my way" in text_of(m))
    anna.ask("#note The roller is worn.\n", f"Re: {tag} Paper jam")
    note = wait_for("the note", lambda: next((c for c in world.staff.comments(ticket["id"])
                                              if "roller" in c["body"]), None))
    assert note["is_internal"]
    anna.ask("#pending\n#snooze until tomorrow\n", f"Re: {tag} Paper jam")
    now = wait_state(world, ticket, "it to wait", lambda t: t["status"] == "pending")
    assert (now["priority"], [t["name"] for t in now["tags"]]) == ("high", ["paper"])

    anna.ask("#priority low\n", f"Re: {tag} Paper jam")
    wait_state(world, ticket, "another priority", lambda t: t["priority"] == "low")
    anna.ask("#undo\n", f"Re: {tag} Paper jam")
    wait_state(world, ticket, "it to be taken back", lambda t: t["priority"] == "high")

    # merging is level 3: the mail to the plain address is asked about, and then done
    anna.ask(f"#merge #{other['id']}\n", f"Re: {tag} Paper jam")
    question = anna.wait("the question", "#merge")
    anna.send(reply_to(question, ANNA, "Yes."))
    wait_for("the merge", lambda: ticket["id"] not in [t["id"] for t in world.staff.tickets()])

    anna.ask("#assign bob\n", f"Re: [#{other['id']}] Paper is out")
    now = wait_state(world, other, "Bob to have it", lambda t: t["assignee"])
    assert now["assignee"]["name"] == "Bob"
    with world.mailbox("bob") as box:
        box.wait_mail("Bob to hear of it", lambda m: f"[#{other['id']}]" in m["Subject"] and
                      "assigned" in text_of(m))


def test_a_refusal_is_told_to_its_sender_alone(world, anna):
    ticket = open_ticket(world, "Refused")
    notice = anna.wait("the notification", subject="Refused")
    anna.send(reply_to(notice, ANNA, "#priority high\n#frobnicate\nDear Carol, secret.\n"))
    told = anna.wait("the transcript", "#frobnicate", "no such command")
    assert "not done" in text_of(told) or "REFUSED" in text_of(told)
    assert state(world, ticket)["priority"] == "medium"
    comments = world.staff.comments(ticket["id"])
    assert comments[-1]["is_internal"] and "secret" in comments[-1]["body"]
    open_ticket(world, "Behind the refusal")
    for name in ("carol", "bob"):
        with world.mailbox(name) as box:
            assert not any("frobnicate" in text_of(m) and "no such command" in text_of(m)
                           for m in box.mails()), f"{name} was told"


def test_a_customer_sees_only_their_own(world, anna):
    ticket = open_ticket(world, "Of Dave alone", "dave")
    for number in (ticket["id"], 99999):
        world.send(new_mail(CAROL, SUPPORT, f"Show {number}", f"#show {number}\n"), login="carol")
        with world.mailbox("carol") as box:
            mail = box.wait_mail("the answer", lambda m: m["Subject"] == f"Re: Show {number}")
        assert "no such ticket" in text_of(mail) and "Dave" not in text_of(mail)


def test_commands_at_the_prompt(world):
    ticket = open_ticket(world, "At the prompt")
    config = str(world.dir / "maildesk.conf")
    done = run("ticket", "command", str(ticket["id"]), "[take; priority=high]", "--as",
               "anna@desk.test", "--config", config)
    assert done.returncode == 0, done.stderr
    assert "done    take: to" in done.stdout or "done    take: done" in done.stdout
    now = state(world, ticket)
    assert (now["assignee"]["name"], now["priority"]) == ("Anna", "high")
    done = run("ticket", "command", str(ticket["id"]), "#close", "--config", config)
    assert done.returncode != 0 and "refused #close" in done.stdout
    assert state(world, ticket)["status"] == "in_progress"


def test_the_manual_page_is_made_from_the_table():
    assert run("commands", "--man").stdout == MANUAL.read_text(), \
        "run: maildesk commands --man > man/maildesk-commands.7"


def test_the_list_of_commands():
    done = run("commands")
    assert done.returncode == 0 and "take " in done.stdout and "search WORDS" in done.stdout
