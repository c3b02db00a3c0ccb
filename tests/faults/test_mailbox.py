"""Row 9 of the fault matrix: a mailbox that goes, is made anew, or is called something else."""
import uuid

import pytest

from ledger import append, raw_mail
from lib import wait_for


@pytest.fixture
def folder(mail_world):
    name = f"box-{uuid.uuid4().hex[:8]}"
    with mail_world.mailbox("support") as box:
        assert box.imap.create(name)[0] == "OK"
    yield name
    with mail_world.mailbox("support") as box:
        box.imap.delete(name)


@pytest.fixture
def desk(make_desk, mail_world, folder):
    d = make_desk(mail_world, f'mailbox "support" {{ folder = "{folder}" }}\n')
    d.start()
    yield d
    d.stop()


def mails(n):
    return [raw_mail("Carol <carol@customer.test>", f"Mail {i}", "x\n")[1] for i in range(n)]


def put(desk, raws, folder):
    with desk.world.mailbox("support") as box:
        append(box, raws, folder)


def tickets(desk, n):
    wait_for(f"{n} tickets", lambda: desk.value("SELECT count(*) FROM tickets") >= n)
    assert desk.value("SELECT count(*) FROM tickets") == n


def all_are_marked(desk, folder):
    def unseen():
        with desk.world.mailbox("support") as box:
            box.imap.select(folder, readonly=True)
            return box.imap.search(None, "UNSEEN")[1]
    wait_for("the marks", lambda: unseen() == [b""])


def test_a_mailbox_that_is_made_anew_has_no_new_mail(desk, folder):
    """A backup that was restored into it, for instance: each mail has another UID."""
    old, new = mails(3), mails(1)
    put(desk, old, folder)
    tickets(desk, 3)
    with desk.world.mailbox("support") as box:
        assert box.imap.delete(folder)[0] == "OK"
    wait_for("it to be missed", lambda: "backoff: " in desk.log())
    with desk.world.mailbox("support") as box:
        assert box.imap.create(folder)[0] == "OK"
        append(box, [*reversed(old), *new], folder)
    tickets(desk, 4)
    all_are_marked(desk, folder)
    assert "numbers its mails anew" in desk.log()
    assert desk.value("SELECT count(*) FROM messages WHERE direction = 'in'") == 4
    assert desk.value("SELECT count(*) FROM comments") == 4
    assert desk.value("SELECT count(*) FROM quarantine") == 0


def test_a_mailbox_that_had_another_name_for_a_while(desk, folder):
    put(desk, mails(2), folder)
    tickets(desk, 2)
    with desk.world.mailbox("support") as box:
        assert box.imap.rename(folder, f"{folder}-away")[0] == "OK"
        append(box, mails(1), f"{folder}-away")
    wait_for("it to be missed", lambda: "backoff: " in desk.log())
    with desk.world.mailbox("support") as box:
        assert box.imap.rename(f"{folder}-away", folder)[0] == "OK"
    tickets(desk, 3)
    all_are_marked(desk, folder)
    assert "numbers its mails anew" not in desk.log()
