"""Row 2 of the fault matrix: SIGKILL at random moments under load in both directions.

MAILDESK_KILLS says how often (default 50), MAILDESK_SEED repeats a run.
"""
import os
import random
import re
import signal
import threading
import time

import pytest

from lib import wait_for
from serving import is_running

KILLS = int(os.environ.get("MAILDESK_KILLS", "50"))
THREADS_MAX = 60  # threads of mails in all: what has to be compared at the end
LIFE = 0.5        # seconds that a moment is drawn from
STARTED_AGAIN = "it is started again"


@pytest.fixture
def dice():
    seed = os.environ.get("MAILDESK_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"MAILDESK_SEED={seed}")
    return random.Random(seed)


class Load:
    """Offers threads of mails from a thread of its own, spread over so many seconds."""

    def __init__(self, book, seconds):
        self.book, self.pause = book, seconds / THREADS_MAX
        self.ended, self.error = threading.Event(), None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            with self.book.world.mailbox("support") as box:
                while len(self.book.threads) < THREADS_MAX and not self.ended.is_set():
                    self.book.offer(1, box, padding=self.padding())
                    self.ended.wait(self.pause)
        except Exception as e:  # told by the test's own thread
            self.error = e

    def padding(self):
        """Every tenth thread begins with a mail that goes through a file."""
        return 200000 if len(self.book.threads) % 10 == 9 else 0

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        assert self.error is None, self.error


def test_the_daemon_is_killed_at_random_moments(desk, book, dice):
    desk.start()
    with Load(book, KILLS * LIFE / 2):
        for n in range(KILLS):
            if n % 2:
                wait_progress(desk)
            wait_until_killed(desk, dice.uniform(0, LIFE))
            book.note_death()
            desk.start(wait=False)
    book.settle(seconds=180)
    desk.stop()
    print(f"{len(book.threads)} threads, {desk.value('SELECT count(*) FROM outbox')} mails sent")


def through(desk):
    return desk.value("SELECT count(*) FROM messages WHERE direction = 'in'"
                      " AND identity IS NOT NULL")  # a duplicate has none


def wait_progress(desk):
    """A mail whose tries are all ended by a death of the daemon is set aside after a while; so every
    second life lasts until a mail is through, however slow machine and build are."""
    before = through(desk)
    try:
        wait_for("a mail to get through",
                 lambda: through(desk) > before or through(desk) == 3 * THREADS_MAX)
    except AssertionError as e:
        raise AssertionError(f"{e}:\n{desk.log()[-6000:]}") from None


def wait_second_tries(desk):
    """Nor is a mail set aside here: one whose readers died twice is read before the next dies."""
    def waiting():
        log = desk.log()
        return (set(re.findall(r"attempt 2 of 3 mailbox=(\S+ uid=\d+)", log))
                - set(re.findall(r" mailbox=(\S+ uid=\d+) message=", log)))

    wait_for("mails whose readers died twice", lambda: not waiting())


def wait_until_killed(desk, seconds):
    """The moment itself is what is random here; then all that belonged to it ends."""
    time.sleep(seconds)
    assert desk.alive(), desk.log()[-2000:]
    roles = desk.roles()
    desk.kill()
    wait_for("its roles to end", lambda: not any(map(is_running, roles)))


def test_roles_are_killed_at_random_moments(desk, book, dice):
    desk.start()
    with Load(book, KILLS * LIFE / 4):
        for _ in range(KILLS):
            time.sleep(dice.uniform(0, LIFE / 2))
            wait_second_tries(desk)
            deaths = desk.log().count(STARTED_AGAIN)
            roles = wait_for("a role", desk.roles)  # what died often comes back later
            name = dice.choice(sorted(set(roles.values())))
            try:
                os.kill(dice.choice([p for p in roles if roles[p] == name]), signal.SIGKILL)
            except ProcessLookupError:
                continue  # it was about to be replaced
            wait_for("it to be noticed", lambda: desk.log().count(STARTED_AGAIN) > deaths)
    book.settle(seconds=180)
    desk.stop()
