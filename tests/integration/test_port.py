"""Out of a desk and into another: export, import of JSON Lines, of an mbox, of a Maildir."""
import collections
import contextlib
import hashlib
import json
import mailbox
import os
import re
import signal
import socket
import subprocess

import pytest

import lib
import libpq
from lib import MAILDESK

HTML = """<div style="color:#c00;position:fixed">It <b>is</b> &lt;here&gt;:
<a href="https://example.com/?a=1&amp;b=2">link</a><img src="https://example.com/x.png" alt="x">
<table><tr><td>1<td>2</table><script>alert(1)</script></div>"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


class Empty:
    """A configuration of a desk without anything in it, on the engine of the run."""

    def __init__(self, folder, database):
        self.dir, self.config = folder, folder / "desk.conf"
        (folder / "state").mkdir()
        (folder / "secret").write_text("secret\n")
        (folder / "secret").chmod(0o600)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.database = database
        self.config.write_text(f"""\
database = "{database or 'sqlite:desk.db'}"
state_dir = "{folder}/state"
http {{ listen = "127.0.0.1:{port}" }}
smtp "main" {{ host = "127.0.0.1" port = 9 tls = "none" }}
mailbox "support" {{ address = "support@desk.test" host = "127.0.0.1" port = 9 tls = "none"
	user = "x" password_file = "{folder}/secret" }}
""")

    def run(self, *args, code=0):
        done = subprocess.run([MAILDESK, *map(str, args), "--config", self.config], text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *args):
        return json.loads(self.run(*args, "--json").stdout.splitlines()[-1])

    def rows(self, sql):
        with lib.open_database(self.database, self.dir / "state" / "desk.db") as c:
            return [tuple(r) for r in c.execute(sql).fetchall()]


@pytest.fixture
def empty(tmp_path, make_database):
    """empty(): one more."""
    with contextlib.ExitStack() as stack:
        def make(name="empty"):
            folder = tmp_path / name
            folder.mkdir()
            return Empty(folder, make_database(stack))
        yield make


@pytest.fixture(scope="module")
def full(desk):
    """A desk with something of everything."""
    anna, admin = desk.api("anna"), desk.api("admin")
    first = lib.new_mail("Carol <carol@customer.test>", "support@desk.test", "Grüße 🦀",
                         "It does not work.\n", Cc="dave@customer.test")
    first.add_attachment(PNG, maintype="image", subtype="png", filename="Bildschirm äöü.png")
    desk.send(first, login="carol")
    page = lib.new_mail("Dave <dave@customer.test>", "support@desk.test", "A page", "Plain\n")
    page.add_alternative(HTML, subtype="html")
    desk.send(page, login="dave")
    anna.wait_ticket("the page", lambda t: t["title"] == "A page")
    ticket = anna.wait_ticket("it", lambda t: t["title"] == "Grüße 🦀")["id"]
    admin.post("/teams", {"name": "Network", "members": ["anna@desk.test"]})
    admin.post("/organisations", {"name": "Customer", "domains": ["customer.test"]})
    admin.post("/canned-replies", {"name": "hello", "body": "Hello {{requester.name}}"})
    admin.post("/blocked-senders", {"domain": "spam.test"})
    upload = anna.request("POST", "/attachments", b"a file", {
        "Content-Type": "text/plain", "Content-Disposition": 'attachment; filename="a.txt"'})
    assert upload.status == 201, upload.body
    assert anna.post(f"/tickets/{ticket}/comments", {
        "body": "An **answer**", "attachments": [upload.json["id"]]}).status == 201
    assert anna.post(f"/tickets/{ticket}/comments", {"body": "note", "is_internal": True}).status == 201
    others = [anna.post("/tickets", {"title": f"Other {n}", "requester": "dave@customer.test",
                                     "description": "x", "priority": "high"}).json["id"]
              for n in range(3)]
    assert anna.patch(f"/tickets/{ticket}", {"tags": ["vip", "hardware"], "status": "in_progress",
                                             "assignee": "anna@desk.test"}).status == 200
    assert anna.post(f"/tickets/{ticket}/links",
                     {"type": "blocks", "ticket": others[0]}).status < 300
    assert anna.post(f"/tickets/{others[1]}/merge", {"into": ticket}).status < 300
    assert admin.request("DELETE", f"/tickets/{others[2]}").status == 204
    lib.wait_for("mails", lambda: not [r for r in admin.get("/outbox", state="queued,sending",
                                                            per_page=100).json["items"]])
    return desk


def export(desk_config, folder):
    done = subprocess.run([MAILDESK, "export", "--json", folder, "--config", desk_config],
                          text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def lines(folder):
    return [json.loads(line) for line in (folder / "desk.jsonl").read_text().splitlines()]


def compared(folder):
    """Its lines without what differs from desk to desk: ids that mean something in a file alone."""
    numbers = collections.defaultdict(dict)
    found = []
    for line in lines(folder)[1:]:
        for key, kind in (("id", line["type"]), ("comment", "comment"), ("mail", "mail")):
            if key in line and kind != "ticket":
                line[key] = numbers[kind].setdefault(line[key], len(numbers[kind]) + 1)
        found.append(json.dumps(line, sort_keys=True))
    return found


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*")
                  if p.is_file() and p.name != "desk.jsonl")


# ---- the round trip ----

def test_there_and_back(full, empty, tmp_path):
    first = export(full["config"], tmp_path / "first")
    kinds = collections.Counter(line["type"] for line in lines(first))
    for kind in ("maildesk", "organisation", "user", "address", "team", "member", "tag",
                 "canned_reply", "blocked_sender", "ticket", "merged", "tagged", "participant",
                 "link", "mail", "thread", "comment", "attachment", "history", "decision"):
        assert kinds[kind], f"no {kind}: {kinds}"
    for path in files(first):
        digest = re.search(r"[0-9a-f]{64}", path)[0]
        assert hashlib.sha256((first / path).read_bytes()).hexdigest() == digest
    assert hashlib.sha256(PNG).hexdigest() in "".join(files(first))
    assert first.stat().st_mode & 0o777 == 0o700
    other = empty()
    done = other.json("import", "jsonl", first)
    assert done["unmapped"] == {}
    assert done["lines"]["ticket"] == {"made": kinds["ticket"]}
    second = export(other.config, tmp_path / "second")
    assert compared(second) == compared(first)
    assert files(second) == files(first)
    # Once more: nothing is left to do, and nothing is there twice.
    again = other.json("import", "jsonl", first)
    assert again["lines"] == {} and again["unmapped"] == {}
    assert compared(export(other.config, second)) == compared(first)
    # A mail on the server that it has is known, and a customer's reply finds its ticket.
    raw = next(first / x["file"] for x in lines(first) if x.get("direction") == "in")
    done = other.run("ingest", raw)
    assert other.rows("SELECT count(*) FROM messages WHERE direction = 'in'") \
        == [(sum(1 for x in lines(first) if x.get("direction") == "in"),)], done.stdout
    assert other.rows("SELECT count(*) FROM outbox") == [(0,)]


def test_a_dry_run_changes_nothing(full, empty, tmp_path):
    folder = export(full["config"], tmp_path / "x")
    other = empty()
    other.run("user", "list")
    before = other.rows("SELECT count(*) FROM users")
    done = other.json("import", "jsonl", "--dry-run", folder)
    assert done["dry_run"] and done["lines"]["ticket"]["made"] == 5
    assert other.rows("SELECT count(*) FROM users") == before
    assert other.rows("SELECT count(*) FROM imports") == [(0,)]
    assert not list(lib.pathlib.Path("/tmp").glob("maildesk-import-*/dry.db"))


# ---- what others write ----

def write(path, *records):
    path.write_text("".join(json.dumps(r) + "\n" for r in records))
    return path


T = {"type": "ticket", "id": "A-1", "title": "Printer", "requester": "carol@customer.test"}


def test_what_does_not_map_is_told(empty, tmp_path):
    desk = empty()
    path = write(tmp_path / "in.jsonl", {**T, "status": "stalled", "priority": "urgent", "weight": 3,
                                         "created_at": "yesterday"},
                 {"type": "comment", "ticket": "A-1", "body": "Hello", "author": "carol@customer.test",
                  "created_at": "2024-02-03T04:05:06+01:00"},
                 {"type": "comment", "ticket": "A-2", "body": "Lost"},
                 {"type": "comment", "ticket": "A-1"},
                 {"type": "attachment", "comment": "none", "file": "../../etc/passwd"},
                 {"type": "user", "email": "no address"},
                 {"type": "gadget"}, {"no": "type"}, {**T, "id": [1]})
    done = desk.json("import", "jsonl", path)
    assert done["lines"]["ticket"] == {"made": 1, "left out": 1}
    assert done["lines"]["comment"] == {"made": 1, "left out": 2}
    told = "\n".join(done["unmapped"])
    for text in ("ticket: status stalled", "ticket: priority urgent", "ticket: weight is not known",
                 "ticket: created_at is no time", "comment: ticket names nothing",
                 "comment: body is missing", "user: email is no mail address", "gadget: is no type",
                 "a line: has no type", "ticket: id is neither", "attachment: file is not there"):
        assert text in told, told
    assert desk.rows("SELECT title, status, priority FROM tickets") == [("Printer", "open", 1)]
    assert desk.rows("SELECT created_at FROM comments") == [(1706929506000,)]
    text = desk.run("import", "jsonl", write(tmp_path / "b.jsonl", {**T, "colour": 1}, T)).stdout
    assert "there already" in text


def test_what_comes_is_made_safe(empty, tmp_path):
    desk = empty()
    desk.run("import", "jsonl", write(
        tmp_path / "in.jsonl", {**T, "title": "A\r\nBcc: x\u202e title" + "é" * 600},
        {"type": "comment", "ticket": "A-1", "body": "a\r\nb\u0007",
         "body_html": '<p onclick="x()">Hi<script>alert(1)</script><img src=x onerror=y></p>'}))
    assert desk.rows("SELECT length(title) FROM tickets") == [(500,)]
    assert desk.rows("SELECT title FROM tickets")[0][0].startswith("A Bcc: x title")
    body, html = desk.rows("SELECT body, body_html FROM comments")[0]
    assert body == "a\nb" and "Hi" in html and "script" not in html and "on" not in html, html


def test_numbers_are_kept_where_they_are_free(empty, tmp_path):
    desk = empty()
    path = write(tmp_path / "a.jsonl", {**T, "id": 412}, {**T, "id": 7}, {**T, "id": 500})
    desk.run("import", "jsonl", path)
    other = write(tmp_path / "b.jsonl", {**T, "id": 412}, {**T, "id": 413})
    desk.run("import", "jsonl", other, "--source", "another")
    assert desk.rows("SELECT id FROM tickets ORDER BY id") == [(7,), (412,), (413,), (500,), (501,)]


BROKEN = [("{\n", 65, "line 2"), ("[1]\n", 65, "line 2 is no object"), ('"x"\n', 65, "line 2"),
          ('{"type":"ticket","type":"x"}\n', 65, "line 2"),
          ('{"type":"maildesk","version":99}\n', 65, "take a newer maildesk")]


@pytest.mark.parametrize("text, code, said", BROKEN)
def test_a_broken_file_is_named(empty, tmp_path, text, code, said):
    desk = empty()
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(T) + "\n" + text)
    assert said in desk.run("import", "jsonl", path, code=code).stderr


def test_files_that_are_not_there(empty, tmp_path):
    desk = empty()
    for way in ("jsonl", "mbox", "maildir"):
        desk.run("import", way, tmp_path / "nowhere", code=65 if way == "jsonl" else 66)
    (tmp_path / "none").touch()
    assert "empty" in desk.run("import", "jsonl", tmp_path / "none", code=65).stderr


def test_killed_it_goes_on(empty, tmp_path):
    desk = empty()
    n = 3000
    path = write(tmp_path / "in.jsonl", *({**T, "id": i} for i in range(1, n + 1)),
                 *({"type": "comment", "ticket": i, "body": "x"} for i in range(1, n + 1)))
    with subprocess.Popen([MAILDESK, "import", "jsonl", "--json", path, "--config", desk.config],
                          stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["phase"] == "importing"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    desk.run("import", "jsonl", path)
    assert desk.rows("SELECT count(*) FROM tickets") == [(n,)]
    assert desk.rows("SELECT count(*) FROM comments") == [(n,)]
    assert desk.rows("SELECT max(id) FROM tickets") == [(n,)]


# ---- mail ----

def old_mails():
    first = lib.new_mail("Carol <carol@customer.test>", "support@desk.test", "Old matter",
                         "It broke.\n", Date="Fri, 01 Mar 2019 10:00:00 +0000")
    answer = lib.new_mail("Carol <carol@customer.test>", "support@desk.test", "Re: Old matter",
                          "From my side it still is.\n", Date="Sat, 02 Mar 2019 10:00:00 +0000",
                          In_Reply_To=first["Message-ID"], References=first["Message-ID"])
    other = lib.new_mail("Dave <dave@customer.test>", "support@desk.test", "Another", "x\n",
                         Date="Sun, 03 Mar 2019 10:00:00 +0000")
    return [first, answer, other]


@pytest.mark.parametrize("way", ["mbox", "maildir"])
def test_old_mail(empty, tmp_path, way):
    desk, path = empty(), tmp_path / "mail"
    box = mailbox.mbox(path) if way == "mbox" else mailbox.Maildir(path)
    for mail in reversed(old_mails()):  # files need not be in order
        box.add(mail.as_bytes())
    box.flush()
    dry = desk.json("import", way, "--dry-run", path)
    assert dry["outcomes"] == {"ticket_created": 2, "comment_added": 1} and dry["dry_run"]
    done = desk.json("import", way, path)
    assert done["mails"] == 3 and done["outcomes"] == dry["outcomes"]
    assert desk.rows("SELECT title, created_at FROM tickets ORDER BY created_at") == [
        ("Old matter", 1551434400000), ("Another", 1551607200000)]
    assert desk.rows("SELECT count(*) FROM outbox") == [(0,)]
    again = desk.json("import", way, path)
    assert set(again["outcomes"]) == {"duplicate"}, again
    assert desk.rows("SELECT count(*) FROM comments") == [(3,)]


@pytest.fixture
def many_mails(tmp_path):
    box = mailbox.mbox(tmp_path / "many")
    for n in range(30):
        box.add(lib.new_mail(f"Carol <c{n}@customer.test>", "support@desk.test", f"Matter {n}", "x\n").as_bytes())
    box.flush()
    return tmp_path / "many"


def processes_of(*args):
    """How many there were: in a name space of their own they are numbered from 1."""
    done = subprocess.run(["unshare", "--pid", "--fork", "sh", "-c", '"$@" >&2; sh -c "echo \\$\\$"', "sh",
                           MAILDESK, *map(str, args)], text=True, capture_output=True, timeout=120)
    if "unshare" in done.stderr:
        pytest.skip(f"no process ids of its own can be had here: {done.stderr}")
    return int(done.stdout)


def test_one_reader_reads_all_of_them(empty, many_mails):
    desk = empty()
    for args in (("import", "mbox", many_mails), ("replay",)):
        assert processes_of(*args, "--config", desk.config) < 30
    assert desk.rows("SELECT count(*) FROM tickets") == [(30,)]


def test_a_reader_that_dies_is_replaced(empty, many_mails, monkeypatch):
    """Each dies at its second mail, which is the first of the next one."""
    desk = empty()
    monkeypatch.setenv("MAILDESK_FAULT", "parsed:2")
    assert desk.json("import", "mbox", many_mails)["outcomes"] == {"ticket_created": 30}
    assert "30 mails, 0 came out differently" in desk.run("replay").stderr
