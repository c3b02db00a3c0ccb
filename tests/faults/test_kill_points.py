"""Row 1 of the fault matrix: death at each named point, then the state of an undisturbed run."""
import os

import pytest

from ledger import append, raw_mail
from lib import wait_for

DAEMON = ("attempt_recorded", "before_commit", "committed", "outbox_claimed", "smtp_connected",
          "smtp_mail", "smtp_rcpt", "smtp_data", "smtp_dot", "smtp_accepted")
# Where no mail has been handed over whole when one is there for the first time, and where one has.
NONE_SENT = ("attempt_recorded", "before_commit", "outbox_claimed", "smtp_connected", "smtp_mail",
             "smtp_rcpt", "smtp_data")
ONE_SENT = ("smtp_dot", "smtp_accepted")
ROLES = {"fetched": "fetch", "marked": "fetch", "parsed:2": "read"}


@pytest.mark.parametrize("point", [*DAEMON, *(f"{p}:3" for p in DAEMON if p != "smtp_connected")])
def test_the_daemon_dies_at(point, desk, book):
    desk.start(fault=point)
    book.offer(3)
    while wait_for("death, or all to be done", lambda: not desk.alive() or book.is_done()) \
            and desk.alive():
        assert len(book.threads) < 10, f"{point} is never passed"
        book.offer(1)  # so few batches are possible that a third was not needed
    desk.wait_death()
    unsure = book.note_death()
    assert not (unsure and point in NONE_SENT)
    assert unsure or point not in ONE_SENT
    desk.start()
    book.settle()
    desk.stop()


@pytest.mark.parametrize("point", ROLES)
def test_a_role_dies_at(point, desk, book):
    desk.start(fault=point)
    book.offer(max(3, os.cpu_count() // 2))
    wait_for("its death", lambda: f"{ROLES[point]} died of signal 9" in desk.log())
    desk.kill()
    book.note_death()
    desk.start()
    book.settle()
    desk.stop()


def test_readers_that_die_at_every_second_mail_cost_nothing(desk, book):
    """No restart of the daemon: each mail that a reader died of is read by the next one."""
    desk.start(fault="parsed:2")
    book.offer(10)
    book.settle(seconds=180)
    assert desk.log().count("read died of signal 9") >= 10
    desk.stop()


DEATHS = 20  # of the daemon, before a mail that was in hand at each of them is set aside


def test_one_mail_is_blamed_for_many_deaths(desk, book):
    """Thirty mails were in hand at each death: only the one that was tried alone is set aside."""
    desk.start(fault="before_commit")
    with book.world.mailbox("support") as box:
        mails = [raw_mail("Carol <carol@customer.test>", f"In hand {n}", "x\n") for n in range(30)]
        append(box, [raw for _, raw in mails])
    book.singles = {mid: None for mid, _ in mails}
    for _ in range(DEATHS):
        desk.wait_death()
        desk.start(fault="before_commit", wait=False)
    wait_for("the first mail's quarantine",
             lambda: desk.value("SELECT count(*) FROM quarantine") or not desk.alive())
    desk.kill()
    desk.start()
    book.singles[mails[0][0]] = "parser_crashed"
    book.settle()
    desk.stop()
