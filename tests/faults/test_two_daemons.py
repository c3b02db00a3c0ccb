"""Row 16 of the fault matrix, and rows 2, 6 and 12 for a desk of two daemons on one PostgreSQL.

Each has a state_dir and an HTTP port of its own; they share the database and nothing else.
MAILDESK_SOAK=1 makes it long: 10,000 mails in 20 mailboxes, leases and stops as in the product.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time
import uuid

import pytest

import ledger
import lib
from lib import AT_ONCE, PATIENCE, wait_for
from serving import is_running
from watch import Watch

pytestmark = pytest.mark.engine("postgres")
SOAK = bool(os.environ.get("MAILDESK_SOAK"))
POSTGRES = lib.TREE / "tests" / "sandbox" / "postgres"
MAILS, MAILBOXES = (10000, 20) if SOAK else (300, 4)
LEASE = 20 if SOAK else 1         # seconds
STOPPED = 120 if SOAK else 2.5    # a daemon, past its leases
ROUNDS = 3 if SOAK else 2
SMTP_LEASE = 30 if SOAK else 3


class Cluster:
    def __init__(self, folder):
        self.dir = folder
        self.database = self.do("start").stdout.strip()

    def do(self, verb, *options):
        return subprocess.run([POSTGRES, verb, self.dir, *options], check=True, text=True,
                              capture_output=True, timeout=120)


@pytest.fixture
def cluster():
    """PostgreSQL's user has to reach it, and the path of its socket has to be short."""
    folder = pathlib.Path(subprocess.check_output(["mktemp", "-d", "/tmp/mdt2.XXXX"], text=True).strip())
    folder.chmod(0o755)
    made = Cluster(folder)
    yield made
    made.do("stop")
    subprocess.run(["rm", "-rf", folder], check=True)


def free_port():
    """Below the ephemeral range, so that no outgoing connection takes it."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


class Pair:
    """Two daemons of one desk."""

    def __init__(self, make_desk, world, cluster, mailboxes=MAILBOXES, lease=LEASE, fragment=""):
        self.world, self.cluster = world, cluster
        self.folders = ["INBOX"] + [f"b{n}-{uuid.uuid4().hex[:8]}" for n in range(1, mailboxes)]
        with world.mailbox("support") as box:
            for folder in self.folders[1:]:
                box.imap.create(folder)
        text = f'desk {{ lease = "{lease}s" }}\n' + self.mailboxes() + fragment
        self.desks = [make_desk(world, text + f'http {{ listen = "127.0.0.1:{free_port()}" }}\n',
                                name=name, database=cluster.database) for name in ("a", "b")]
        self.a, self.b = self.desks

    def mailboxes(self):
        """One for each folder of the one account."""
        imap, secret = self.world["imap"], self.world.dir / "secrets" / "support@desk.test"
        return "".join(
            f'mailbox "box{n}" {{ address = "box{n}@desk.test"  host = "127.0.0.1"\n'
            f'\tport = {imap["tls_port"]}  ca_file = "{imap["ca_file"]}"  user = "support@desk.test"\n'
            f'\tpassword_file = "{secret}"  folder = "{folder}"  poll_interval = "1s" }}\n'
            for n, folder in enumerate(self.folders[1:], 1)) + (
                f'smtp "main" {{ timeout = "{SMTP_LEASE / 3:g}s"  lease = "{SMTP_LEASE}s" }}\n')

    def start(self):
        for desk in self.desks:
            desk.start(wait=False)
        wait_for("all mailboxes to be selected", lambda: self.a.value(
            "SELECT count(*) FROM mailboxes WHERE uidvalidity <> 0") == len(self.folders))
        wait_for("each daemon's share", lambda: self.shares() == self.even())

    def stop(self):
        for desk in self.desks:
            desk.stop()

    def even(self):
        return [len(self.folders) // 2] * 2

    def shares(self):
        """Mailboxes that each holder has, fewest first."""
        return sorted(r[0] for r in self.a.rows(
            "SELECT count(*) FROM leases WHERE name LIKE 'mailbox:%' AND held_until >"
            " EXTRACT(EPOCH FROM clock_timestamp()) * 1000 GROUP BY holder"))

    def add_admin(self):
        self.a.run("user", "add", "--email", "admin@desk.test", "--name", "Admin", "--role", "admin",
                   "--password-file", self.world.dir / "secrets" / "admin@desk.test")

    def api(self, desk):
        """One of them as the admin."""
        text = (desk.dir / "conf.d" / "60-test.conf").read_text().rpartition("http {")[2]
        port = re.search(r"127\.0\.0\.1:(\d+)", text)[1]
        secret = (self.world.dir / "secrets" / "admin@desk.test").read_text().strip()
        return lib.Api(f"http://127.0.0.1:{port}", {"email": "admin@desk.test", "password": secret})

    def only_one(self):
        return self.shares() == [len(self.folders)]


@pytest.fixture
def make_pair(make_desk, mail_world, cluster):
    def make(**options):
        return Pair(make_desk, mail_world, cluster, **options)
    return make


def make_book(pair, model):
    book = ledger.Ledger(pair.a, model)
    book.folders = pair.folders
    return book


class Load:
    """Offers threads of mails from a thread of its own."""

    def __init__(self, book, threads, seconds):
        self.book, self.threads, self.pause = book, threads, seconds / threads
        self.error = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            with self.book.world.mailbox("support") as box:
                for _ in range(self.threads):
                    self.book.offer(1, box)
                    time.sleep(self.pause)
        except Exception as e:  # told by the test's own thread
            self.error = e

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        assert self.error is None, self.error


# ---- what is done to them ----

def kill(pair, desk):
    """It comes back once the other has taken over."""
    roles = desk.roles()
    desk.kill()
    before = time.monotonic()
    wait_for("the other to take over", pair.only_one)
    print(f"taken over {time.monotonic() - before:.1f} s after a death")
    wait_for("its roles to end", lambda: not any(map(is_running, roles)))
    desk.start(wait=False)


def freeze(pair, desk):
    """Its leases end; it goes on and does not know."""
    known = desk.log().count("let go: ")
    desk.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(STOPPED)
        wait_for("the other to take over", pair.only_one)
    finally:
        desk.process.send_signal(signal.SIGCONT)
    wait_for("it to notice", lambda: desk.log().count("let go: ") > known)


def restart_database(pair, desk):
    """A crash of it, under both."""
    pair.cluster.do("stop", "--kill")
    pair.cluster.do("start")


DISTURBANCES = (kill, freeze, restart_database)


def test_two_daemons_are_disturbed_in_turn(make_pair, model):
    pair = make_pair()
    book = make_book(pair, model)
    pair.start()
    turns = [(what, desk) for what in DISTURBANCES for desk in pair.desks] * ROUNDS
    # Each may hit the moment between a server's 250 and the commit, at every connection.
    book.may_repeat, book.tries_tell = len(turns) * ledger.CONNECTIONS, True
    with Load(book, MAILS // 3, len(turns) * (STOPPED + LEASE)):
        for what, desk in turns:
            what(pair, desk)
            assert all(d.alive() for d in pair.desks), [d.log()[-2000:] for d in pair.desks]
            wait_for("each daemon's share", lambda: pair.shares() == pair.even())
    book.settle(seconds=600 if SOAK else PATIENCE)
    pair.stop()


# ---- one thing at a time ----

def test_who_stops_hands_over_at_once(make_pair, model):
    """Long leases: nobody has to wait for their end."""
    pair = make_pair(lease=60)
    book = make_book(pair, model)
    pair.start()
    pair.a.stop()
    wait_for("the other to take over", pair.only_one, AT_ONCE)
    book.offer(4)
    book.settle()
    pair.a.start(wait=False)
    wait_for("each daemon's share", lambda: pair.shares() == pair.even(), AT_ONCE)
    pair.stop()


def test_mail_that_a_dead_daemon_had_claimed_is_sent_by_the_other(make_pair, model):
    pair = make_pair(mailboxes=2)
    book = make_book(pair, model)
    pair.a.start(fault="outbox_claimed", wait=False)
    pair.b.start(wait=False)
    wait_for("each daemon's share", lambda: pair.shares() == pair.even())
    wait_for("all mailboxes to be selected", lambda: pair.a.value(
        "SELECT count(*) FROM mailboxes WHERE uidvalidity <> 0") == 2)
    while pair.a.alive():
        assert len(book.threads) < 50, "it never claims anything"
        book.offer(1)
        wait_for("death, or all to be done", lambda: not pair.a.alive() or book.is_done())
    book.settle()
    pair.stop()


def test_timers_fire_once(make_pair):
    """Both daemons see each timer due in the same moment."""
    pair = make_pair(mailboxes=2, fragment=(
        'sla "quick" { warn = {50} first_response { medium = "4s" high = "4s" } }\n'))
    pair.start()
    pair.add_admin()
    mails = [ledger.raw_mail("Carol <carol@customer.test>", f"Late {n}", "x\n") for n in range(30)]
    with pair.world.mailbox("support") as box:
        for n, (_, raw) in enumerate(mails):
            ledger.append(box, [raw], pair.folders[n % 2])
    wait_for("all breaches", lambda: pair.a.value(
        "SELECT count(*) FROM clocks WHERE breached_at IS NOT NULL") == len(mails))
    wait_for("no timer to be due", lambda: pair.a.value(
        "SELECT count(*) FROM timers WHERE kind LIKE 'sla%'") == 0)
    told = pair.a.rows("SELECT o.event, count(*), count(DISTINCT o.ticket_id) FROM outbox o"
                       " WHERE o.event NOT LIKE 'created%' GROUP BY o.event ORDER BY o.event")
    assert told == [("sla_breach", len(mails), len(mails)), ("sla_warning", len(mails), len(mails))]
    pair.stop()


def test_events_are_numbered_once_whoever_dies(make_pair):
    """The holder of the lease is killed while both make events: the watcher of the other daemon,
    and one that comes back to another daemon than it left, are told each once and in order."""
    pair = make_pair(mailboxes=2)
    pair.start()
    pair.add_admin()
    made, told = [], []

    def instance(desk):
        raw = (desk.state / "instance").read_bytes()
        return str(uuid.UUID(bytes=raw, version=4))

    def holder():
        names = {instance(d): d for d in pair.desks}
        return names[pair.a.value("SELECT holder FROM leases WHERE name = 'events'")]

    def make(person):
        answer = person.post("/tickets", {"title": f"Event {len(made)}", "description": "x"})
        assert answer.status == 201, answer.body
        made.append(answer.json["id"])

    last = None
    for round_ in range(4):
        people = [pair.api(d) for d in pair.desks]
        for _ in range(5):
            for person in people:
                make(person)
        dies = wait_for("a holder", holder)
        stays = pair.b if dies is pair.a else pair.a
        with Watch(pair.api(stays), last if last else 0) as watch:
            make(pair.api(dies))
            dies.kill()
            make(pair.api(stays))
            while made[-1] not in [t for _, t in told]:
                number, kind, data = watch.next()
                if kind == "ticket.created":
                    told.append((number, data["ticket"]))
            last = watch.last
        dies.start(wait=False)
        wait_for("each daemon's share", lambda: pair.shares() == pair.even())
    assert sorted(t for _, t in told) == sorted(made)
    assert [n for n, _ in told] == sorted({n for n, _ in told})
    pair.stop()


def test_a_version_is_taken_once_whichever_daemon_is_asked(make_pair):
    """If-Match and `version` are compared in the transaction that changes what has them."""
    pair = make_pair(mailboxes=2)
    pair.start()
    pair.add_admin()
    people = [pair.api(d) for d in pair.desks]
    team = lib.ok(people[0].post("/teams", {"name": "raced"}), 201)["id"]
    ticket = lib.ok(people[0].post("/tickets", {"title": "raced", "description": "x"}), 201)["id"]
    both = threading.Barrier(2)
    for path, key in (f"/teams/{team}", "name"), (f"/tickets/{ticket}", "title"):
        for turn in range(30):
            tag = {"If-Match": people[0].get(path).headers["ETag"]}

            def change(n):
                both.wait()
                return people[n].request("PATCH", path, {key: f"raced {turn} by {n}"}, tag)
            with concurrent.futures.ThreadPoolExecutor(2) as threads:
                answers = list(threads.map(change, range(2)))
            assert sorted(a.status for a in answers) == [200, 409], [a.body for a in answers]
            won = next(a for a in answers if a.status == 200).json[key]
            assert people[0].get(path).json[key] == people[1].get(path).json[key] == won
    pair.stop()
