"""The ledger: what was offered to a desk, and whether each of it had exactly one effect.

Mails are offered in threads of three: a customer's new ticket, her second mail, an agent's answer
with commands. What an undisturbed desk makes of a thread is taken down once (`Model`); a disturbed
desk is exact when it made the same of every thread, nothing else is there, every mail is marked on
the server, and each recipient has each of the desk's mails once.
"""
import collections
import contextlib
import email.utils
import imaplib
import itertools
import random
import re
import time

from lib import PATIENCE, new_mail, wait_for

CUSTOMERS = ("carol", "dave")
SUPPORT = "support@desk.test"
CONNECTIONS = 4  # of smtp "main": mails that may be between a server's 250 and the commit at a death
numbers = itertools.count(1)


def raw_mail(sender, subject, body, padding=0, **headers):
    """(Message-ID, bytes) as our own mail server would deliver it: its verdict on top.

    padding: size of an attachment."""
    domain = sender.partition("@")[2].rstrip(">")
    mail = new_mail(sender, SUPPORT, subject, body, **headers)
    if padding:
        mail.add_attachment(random.randbytes(padding), maintype="application",
                            subtype="octet-stream", filename="padding.bin")
    top = ("Authentication-Results: mx.desk.test; dmarc=pass header.from=" + domain + "\r\n"
           "Received: from client.test by mx.desk.test; " + email.utils.formatdate() + "\r\n")
    return mail["Message-ID"].strip("<>"), top.encode() + mail.as_bytes()


def append(box, raws, folder="INBOX"):
    """Puts mails into a mailbox over IMAP: their order is that of their UIDs."""
    for raw in raws:
        answer, _ = box.imap.append(folder, None, imaplib.Time2Internaldate(time.time()), raw)
        assert answer == "OK"


def make_thread(subject, customer="carol", padding=0):
    """Three mails: [(Message-ID, bytes)]."""
    who = f"{customer.capitalize()} <{customer}@customer.test>"
    first = raw_mail(who, subject, "It does not work.\n", padding)
    again = {"In_Reply_To": f"<{first[0]}>", "References": f"<{first[0]}>"}
    return [first, raw_mail(who, f"Re: {subject}", "It still does not.\n", **again),
            raw_mail("Anna <anna@desk.test>", f"Re: {subject} [take; priority high]",
                     "I am looking at it.\n", **again)]


class Ledger:
    def __init__(self, desk, model=None):
        self.desk, self.world, self.model = desk, desk.world, model
        self.threads = []       # lists of Message-IDs
        self.singles = {}       # Message-ID: cause of the quarantine it is expected in, or None
        self.may_repeat = 0     # mails that may have been sent twice, whichever
        self.tries_tell = False  # and then none oftener than its row was claimed
        self.allowed = collections.defaultdict(lambda: 1)  # how often each may have been sent
        self.may_arrive_again = False  # the mail server may deliver one twice: known as duplicates
        self.folders = ["INBOX"]  # of the account "support", where mails are offered

    # ---- offering ----

    def offer(self, threads, box=None, padding=0):
        """Offers so many threads, to one folder after the other; box: an open mailbox to use."""
        with contextlib.ExitStack() as stack:
            box = box or stack.enter_context(self.world.mailbox("support"))
            for _ in range(threads):
                n = next(numbers)
                thread = make_thread(f"Matter {n:06}", CUSTOMERS[n % 2], padding)
                self.threads.append([mid for mid, _ in thread])
                append(box, [raw for _, raw in thread], self.folders[n % len(self.folders)])

    def offer_single(self, mid, raw, quarantine=None):
        self.singles[mid] = quarantine
        with self.world.mailbox("support") as box:
            append(box, [raw])

    # ---- deaths ----

    def note_death(self):
        """To be called when a desk has died, before the next one starts. A mail that its server has
        and that the books do not know to be sent goes out once more, all others never do. Those mails."""
        wait_for("the mail server's queue to be empty", lambda: queue_is_empty(self.world))
        sending = {r[0] for r in self.desk.rows("SELECT m.message_id FROM outbox o JOIN messages m"
                                                " ON m.id = o.message_id WHERE o.state = 'sending'")}
        unsure = [mid for mid, _, n in self.deliveries() if mid in sending and n == self.allowed[mid]]
        for mid in unsure:
            self.allowed[mid] += 1
        assert len(unsure) <= CONNECTIONS, unsure
        return unsure

    # ---- comparing ----

    def settle(self, seconds=PATIENCE):
        """Waits until all is as it must be, and prints how long; AssertionError with what is not."""
        found, began = [], time.monotonic()

        def exact():
            found[:] = self.missing()
            return not found

        try:
            wait_for("the ledger", exact, seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}:\n" + "\n".join(found[:20])
                                 + "\n" + self.desk.log()[-3000:]) from None
        print(f"settled after {time.monotonic() - began:.1f} s")
        wrong = self.delivered()
        assert not wrong, "\n".join(wrong[:20])

    def is_done(self):
        """Everything has had its effects in the database."""
        with self.desk.db() as c:
            return not self.totals(c)

    def missing(self):
        with self.desk.db() as c:
            found = self.totals(c)
            if not found and self.model:
                for thread in self.threads:
                    made = project(c, thread)
                    if made != self.model:
                        found.append(f"{thread[0]}: {difference(self.model, made)}")
        return found or self.unmarked() or self.undelivered()

    def totals(self, c):
        """Counts that any loss or double would change."""
        unread = [mid for mid, cause in self.singles.items()
                  if cause and cause.startswith(("parser_", "database_"))]  # taken in without fields
        offered = [mid for thread in self.threads for mid in thread] + list(self.singles)
        known = ("SELECT d.message_id FROM decisions d WHERE d.outcome = 'duplicate'"
                 if self.may_arrive_again else "0")
        got = collections.Counter(r[0] for r in c.execute(
            f"SELECT message_id FROM messages WHERE direction = 'in' AND id NOT IN ({known})"))
        found = [f"{mid}: {got[mid]} messages" for mid in offered
                 if got[mid] != (0 if mid in unread else 1)]
        expected = sorted(cause for cause in self.singles.values() if cause)
        tickets = len(self.threads) + len(self.singles) - len(expected)
        causes = sorted(r[0] for r in c.execute("SELECT cause FROM quarantine"))
        for what, sql, wanted in (
                ("messages in", "SELECT count(*) FROM messages WHERE direction = 'in'"
                 f" AND id NOT IN ({known})", len(offered)),
                ("decisions", "SELECT count(*) FROM decisions WHERE message_id NOT IN"
                 f" ({known})", len(offered)),
                ("tickets", "SELECT count(*) FROM tickets", tickets),
                ("mails unsent", "SELECT count(*) FROM outbox WHERE state <> 'sent'", 0),
                ("marks owed", "SELECT count(*) FROM mailbox_uids", 0)):
            n = c.execute(sql).fetchone()[0]
            if n != wanted:
                found.append(f"{what}: {n}, not {wanted}")
        if causes != expected:
            found.append(f"quarantined: {causes}, not {expected}")
        return found

    def unmarked(self):
        """Offered mails that are not \\Seen on the server, or not there."""
        seen = set()
        with self.world.mailbox("support") as box:
            for folder in self.folders:
                box.imap.select(folder)
                seen |= {mid for mid, flags in headers(box) if b"\\Seen" in flags}
        offered = itertools.chain(*self.threads, self.singles)
        return [f"{mid}: not seen on the server" for mid in offered if mid not in seen]

    def deliveries(self):
        """For each outgoing mail: how often its recipient has it."""
        sent = self.desk.rows("SELECT m.message_id AS mid, o.recipient AS recipient FROM outbox o"
                              " JOIN messages m ON m.id = o.message_id")
        boxes = {}
        for address in {r["recipient"] for r in sent}:
            with self.world.mailbox(address.partition("@")[0]) as box:
                boxes[address] = collections.Counter(mid for mid, _ in headers(box))
        return [(r["mid"], r["recipient"], boxes[r["recipient"]][r["mid"]]) for r in sent]

    def undelivered(self):
        return [f"{mid} is not in the mailbox of {to}" for mid, to, n in self.deliveries() if n < 1]

    def delivered(self):
        """Mails that came more often than they may."""
        often = [(mid, to, n) for mid, to, n in self.deliveries() if n > self.allowed[mid]]
        tries = {r[0]: r[1] for r in self.desk.rows(
            "SELECT m.message_id, o.attempts FROM outbox o JOIN messages m ON m.id = o.message_id")}
        untold = [r for r in often if self.tries_tell and r[2] > tries[r[0]]]
        if not untold and sum(n - self.allowed[mid] for mid, _, n in often) <= self.may_repeat:
            return []
        return [f"{mid} is {n} times in the mailbox of {to}" for mid, to, n in often]


def queue_is_empty(world):
    """Postfix has nothing more to deliver, nor is it being given anything."""
    return not any(path.is_file() for name in ("maildrop", "incoming", "active", "deferred")
                   for path in (world.dir / "postfix" / "queue" / name).rglob("*"))


def headers(box):
    """[(Message-ID, flags)] of a mailbox."""
    box.imap.noop()
    if box.imap.search(None, "ALL")[1] in ([None], [b""]):
        return []
    _, answer = box.imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    found = []
    for item in answer:
        if isinstance(item, tuple):
            mid = re.search(rb"<([^>]+)>", item[1])
            found.append((mid.group(1).decode() if mid else "", imaplib.ParseFlags(item[0])))
    return found


def project(c, thread):
    """What a desk made of one thread, without numbers and times that differ from run to run."""
    marks = ",".join("?" * len(thread))
    got = c.execute(f"SELECT m.message_id, m.ticket_id, d.outcome, d.auth FROM messages m"
                    f" JOIN decisions d ON d.message_id = m.id WHERE m.message_id IN ({marks})",
                    thread).fetchall()
    steps = sorted((thread.index(r[0]), r[2], r[3]) for r in got)
    tickets = sorted({r[1] for r in got if r[1]})
    made = {"decisions": steps, "tickets": len(tickets)}
    for name, sql in (
            ("ticket", "SELECT t.status, t.priority, u.email FROM tickets t"
                       " LEFT JOIN users u ON u.id = t.assignee_id WHERE t.id = ?"),
            ("comments", "SELECT u.email, m.body, m.is_internal, m.held FROM comments m"
                         " JOIN users u ON u.id = m.author_id WHERE m.ticket_id = ?"),
            ("history", "SELECT h.action, h.old_value, h.new_value, h.source"
                        " FROM ticket_history h WHERE h.ticket_id = ?"),
            ("mails", "SELECT o.event, o.recipient FROM outbox o WHERE o.ticket_id = ?"),
            ("people", "SELECT u.email, p.role FROM ticket_participants p"
                       " JOIN users u ON u.id = p.user_id WHERE p.ticket_id = ?"),
            ("timers", "SELECT kind FROM timers WHERE ticket_id = ?")):
        made[name] = sorted(general(r) for t in tickets for r in c.execute(sql, (t,)))
    return made


def general(row):
    text = "|".join("" if v is None else str(v) for v in row)
    return re.sub(r"Matter \d+", "Matter", re.sub(r"\b(carol|dave)@", "customer@", text))


def difference(wanted, got):
    return "; ".join(f"{k}: {got[k]}, not {wanted[k]}"[:1000]
                     for k in wanted if wanted[k] != got[k])


def make_model(desk):
    """What this desk, undisturbed, makes of a thread; it also shows that it makes the right."""
    ledger = Ledger(desk)
    ledger.offer(1)
    ledger.settle()
    with desk.db() as c:
        model = project(c, ledger.threads[0])
    assert [outcome for _, outcome, _ in model["decisions"]] == \
        ["ticket_created", "comment_added", "comment_added"], model
    assert model["ticket"] == ["in_progress|2|anna@desk.test"], model
    assert len(model["comments"]) == 3 and len(model["mails"]) >= 3, model
    return model
