"""Row 13 of the fault matrix: a mail that crashes or hangs the reader.

No mail is known that does; so the reader is killed (or stopped) whenever it has that mail's file
open, which is exactly while it reads it.
"""
import os
import pathlib
import signal
import threading
import time

import pytest

import ledger
from lib import AT_ONCE, wait_for

POISON_BYTES = 20 << 20  # raw; takes a reader long enough to be caught at it
SECOND = """\
mailbox "second" {{ address = "bob@desk.test"  host = "127.0.0.1"  port = {port}  tls = "tls"
	ca_file = "{ca}"  user = "bob@desk.test"  password_file = "{secret}"  smtp = "main" }}
"""


def reading_a_file(pid):
    try:
        return any("/spool/" in os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has ended
        return False


class Watcher(threading.Thread):
    """Sends a signal to every reader that is seen with a mail's file, each once."""

    def __init__(self, desk, number):
        super().__init__(daemon=True)
        self.desk, self.number, self.hit, self.ended = desk, number, [], threading.Event()

    def run(self):
        while not self.ended.is_set():
            for pid in self.desk.roles("read"):
                if pid not in self.hit and reading_a_file(pid):
                    self.hit.append(pid)
                    os.kill(pid, self.number)
            time.sleep(0.001)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


@pytest.fixture(scope="module")
def poison():
    return ledger.raw_mail("Carol <carol@customer.test>", "Poison", "x\n", POISON_BYTES * 3 // 4)


def test_a_mail_that_kills_the_reader_is_set_aside(desk, book, poison):
    desk.start()
    with Watcher(desk, signal.SIGKILL) as watcher:
        book.offer_single(*poison, quarantine="parser_crashed")
        book.offer(3)
        book.settle()
    assert len(watcher.hit) == 3
    assert [f"attempt {n} of 3" in desk.log() for n in (1, 2, 3)] == [True] * 3
    kept = desk.rows("SELECT b.size, m.created_at FROM quarantine q JOIN messages m"
                     " ON m.id = q.message_id JOIN blobs b ON b.id = m.blob_id")
    assert [r[0] for r in kept] == [len(poison[1])], "the raw mail is kept"
    late = desk.value("SELECT max(created_at) FROM messages WHERE direction = 'in'") - kept[0][1]
    assert late < AT_ONCE * 1000, f"the next mails came {late} ms later"
    desk.stop()


def test_a_mail_that_hangs_its_reader_holds_up_no_other_mailbox(make_desk, mail_world, poison):
    """Released, it becomes a ticket too: nothing was lost."""
    world = mail_world
    desk = make_desk(world, SECOND.format(port=world["imap"]["tls_port"],
                                          ca=world["imap"]["ca_file"],
                                          secret=world.dir / "secrets" / "bob@desk.test"))
    desk.start()
    wait_for("both mailboxes", lambda: desk.selected() == 2)
    with Watcher(desk, signal.SIGSTOP) as watcher:
        with world.mailbox("support") as box:
            ledger.append(box, [poison[1]])
        wait_for("its reader to hang", lambda: watcher.hit)
        mails = [ledger.raw_mail("Dave <dave@customer.test>", f"Beside it {n}", "x\n")
                 for n in range(5)]
        with world.mailbox("bob") as box:
            ledger.append(box, [raw for _, raw in mails])
        wait_for("the other mailbox's tickets",
                 lambda: desk.value("SELECT count(*) FROM tickets") == 5)
        os.kill(watcher.hit[0], signal.SIGCONT)
    wait_for("its ticket", lambda: desk.value("SELECT count(*) FROM tickets") == 6)
    desk.stop()
