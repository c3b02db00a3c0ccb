"""maildesk import rt, from a server that answers as RT 5 does (its answers were taken down from one)."""
import base64
import contextlib
import http.server
import json
import re
import signal
import subprocess
import threading

import pytest

from lib import MAILDESK
from test_port import Empty

USERS = {"root": ("admin@desk.test", "Enoch Root", 1), "anna": ("anna@desk.test", "Anna", 1),
         "carol@customer.test": ("carol@customer.test", "Carol", 0)}


def b64(data):
    return base64.encodebytes(data).decode()


def who(name):
    return {"id": name, "type": "user", "_url": f"http://rt/REST/2.0/user/{name}"}


class Tracker:
    """Three tickets: a mail with a file, answered, noted and resolved; one that depends on it; a third
    that may not be read."""

    def __init__(self):
        self.asked, self.fail_after = [], None
        self.attachments = {
            1: ("text/plain", None, b"The printer is on fire.\n", "<rt-1@customer.test>"),
            2: ("image/png", "Bild äöü.png", b"\x89PNG" + bytes(range(256)), None),
            3: ("text/plain", None, b"The fire brigade is on its way.\n", "<rt-3@desk.test>"),
            4: ("text/plain", None, b"He smokes.\n", None),
            5: ("text/plain", None, b"Another\n", None)}
        self.transactions = {
            10: ("Create", "carol@customer.test", None, None, None, [1, 2]),
            11: ("Correspond", "anna", None, None, None, [3]),
            12: ("Comment", "anna", None, None, None, [4]),
            13: ("Status", "anna", "Status", "new", "resolved", []),
            14: ("Set", "anna", "Subject", "Printer", "Printer on fire", []),
            15: ("AddWatcher", "root", "Cc", None, "7", []),
            20: ("Create", "carol@customer.test", None, None, None, [5])}
        self.tickets = {1: [10, 11, 12, 16, 13, 14, 15], 2: [20], 3: []}

    def answer(self, path):
        kind, _, rest = path.removeprefix("/REST/2.0/").partition("/")
        if kind.startswith("tickets?"):
            least = int(re.search(r"id%20%3E%20(\d+)", kind)[1])
            ids = [i for i in sorted(self.tickets) if i > least]
            return {"count": len(ids), "total": len(ids), "page": 1, "pages": 1, "per_page": 100,
                    "items": [{"id": str(i), "type": "ticket"} for i in ids]}
        if kind == "user":
            if rest not in USERS:
                return None
            address, name, privileged = USERS[rest]
            return {"id": 5, "Name": rest, "EmailAddress": address, "RealName": name,
                    "Privileged": privileged}
        if kind == "queue":
            return {"id": 1, "Name": "General"}
        number, _, more = rest.partition("/")
        number = int(number)
        if kind == "ticket" and more.startswith("history"):
            return {"items": [{"id": str(i), "type": "transaction"} for i in self.tickets[number]]}
        return getattr(self, kind)(number)

    def ticket(self, n):
        if n == 3:
            return 403
        links = [{"ref": "self", "id": n, "type": "ticket"}]
        if n == 2:
            links.append({"ref": "depends-on", "id": "1", "type": "ticket"})
        return {"id": n, "Subject": "Printer on fire" if n == 1 else "Another", "Type": "ticket",
                "Status": "resolved" if n == 1 else "stalled", "Priority": "100" if n == 1 else "0",
                "Queue": {"id": "1", "type": "queue"}, "Owner": who("anna" if n == 1 else "Nobody"),
                "Creator": who("carol@customer.test"), "Requestor": [who("carol@customer.test")],
                "Cc": [], "AdminCc": [who("root")], "Created": "2019-03-01T10:00:00Z",
                "LastUpdated": "2019-03-02T10:00:00Z", "Due": "1970-01-01T00:00:00Z",
                "Resolved": "2019-03-02T10:00:00Z" if n == 1 else "1970-01-01T00:00:00Z",
                "TimeWorked": "15", "EffectiveId": {"id": str(n), "type": "ticket"},
                "CustomFields": [{"id": "1", "name": "Asset", "type": "customfield",
                                  "values": ["A-17", "B-2"]}], "_hyperlinks": links}

    def transaction(self, n):
        if n == 16:
            return 500  # as RT 5.0.3 does for a change of the owner by REST
        kind, creator, field, old, new, files = self.transactions[n]
        return {"id": n, "Type": kind, "Creator": who(creator), "Field": field, "OldValue": old,
                "NewValue": new, "Created": f"2019-03-01T10:{n}:00Z", "_hyperlinks": [
                    {"ref": "attachment", "_url": f"http://rt/REST/2.0/attachment/{i}",
                     "type": "attachment"} for i in files]}

    def attachment(self, n):
        kind, name, data, mid = self.attachments[n]
        return {"id": n, "ContentType": kind, "Filename": name, "Content": b64(data),
                "MessageId": mid, "Headers": ""}


@pytest.fixture
def tracker():
    tracker = Tracker()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            tracker.asked.append(self.path)
            found = tracker.answer(self.path)
            if self.headers["Authorization"] != "token secret-1":
                found = 401
            status = found if isinstance(found, int) else 200 if found else 404
            body = json.dumps({"message": "no"} if status != 200 else found).encode()
            if tracker.fail_after is not None and len(tracker.asked) > tracker.fail_after:
                return  # the connection ends
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tracker.url = f"http://127.0.0.1:{server.server_port}/"
        yield tracker
        server.shutdown()


@pytest.fixture
def desk(tmp_path, make_database):
    with contextlib.ExitStack() as stack:
        folder = tmp_path / "desk"
        folder.mkdir()
        made = Empty(folder, make_database(stack))
        made.token = tmp_path / "token"
        made.token.write_text("secret-1\n")
        made.rt = tmp_path / "rt"
        yield made


def args(desk, tracker, *more):
    return ("import", "rt", tracker.url, "--folder", desk.rt, "--token-file", desk.token, *more)


def check(desk):
    assert desk.rows("SELECT id, title, status, priority, category, time_spent_ms, fields FROM"
                     " tickets ORDER BY id") == [
        (1, "Printer on fire", "resolved", 2, "General", 900000, '{"Asset":"A-17, B-2"}'),
        (2, "Another", "pending", 1, "General", 900000, '{"Asset":"A-17, B-2"}')]
    assert desk.rows("SELECT u.email, m.body, m.is_internal FROM comments m JOIN users u ON"
                     " u.id = m.author_id WHERE m.ticket_id = 1 ORDER BY m.id") == [
        ("carol@customer.test", "The printer is on fire.\n", 0),
        ("anna@desk.test", "The fire brigade is on its way.\n", 0),
        ("anna@desk.test", "He smokes.\n", 1)]
    assert desk.rows("SELECT filename, content_type, size FROM attachments") == [
        ("Bild äöü.png", "image/png", 260)]
    assert desk.rows("SELECT ticket_id, type, other_id FROM ticket_links") == [(1, "blocks", 2)]
    assert desk.rows("SELECT message_id FROM thread_ids ORDER BY message_id") == [
        ("rt-1@customer.test",), ("rt-3@desk.test",)]
    assert desk.rows("SELECT action, old_value, new_value FROM ticket_history WHERE ticket_id = 1"
                     " ORDER BY id") == [("created", None, None), ("status", "open", "resolved"),
                                         ("title", "Printer", "Printer on fire")]
    assert desk.rows("SELECT email, role FROM users ORDER BY email") == [
        ("admin@desk.test", "agent"), ("anna@desk.test", "agent"),
        ("carol@customer.test", "customer")]
    assert desk.rows("SELECT count(*) FROM outbox") == [(0,)]


def test_all_of_it(desk, tracker):
    dry = desk.json(*args(desk, tracker, "--dry-run"))
    assert dry["dry_run"] and dry["lines"]["ticket"]["made"] == 2
    done = desk.json(*args(desk, tracker))
    assert done["lines"] == dry["lines"]
    assert any(k.startswith("RT transaction AddWatcher Cc") for k in done["unmapped"])
    assert any(k.startswith("RT ticket that cannot be read") for k in done["unmapped"])
    assert any(k.startswith("RT transaction that cannot be read") for k in done["unmapped"])
    check(desk)
    desk.json(*args(desk, tracker))  # once more: nothing is there twice
    check(desk)


def test_a_server_that_goes_away(desk, tracker):
    """What was whole is not asked for again."""
    with subprocess.Popen([MAILDESK, *map(str, args(desk, tracker)), "--config", desk.config],
                          stderr=subprocess.DEVNULL) as process:
        tracker.fail_after = 20
        while len(tracker.asked) < 22:
            assert process.poll() is None
        process.kill()
        assert process.wait() == -signal.SIGKILL
    tracker.fail_after, before = None, len(tracker.asked)
    desk.json(*args(desk, tracker))
    assert "/REST/2.0/ticket/1" not in tracker.asked[before:]
    check(desk)


def test_refusals(desk, tracker):
    desk.token.write_text("wrong\n")
    assert "credentials" in desk.run(*args(desk, tracker), code=77).stderr
    tracker.url = "http://rt.example.com"
    assert "https://" in desk.run(*args(desk, tracker), code=65).stderr
    assert "--folder" in desk.run("import", "rt", "https://x", code=64).stderr
    assert "--token-file" in desk.run("import", "rt", "https://x", "--folder", desk.rt,
                                      code=64).stderr
