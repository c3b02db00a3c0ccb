"""Row 9 of the fault matrix: mail that the desk has and cannot mark on its server, for want of room, of
rights, or of the folder it is to go to. Real Dovecot with its plugins for quotas and access lists."""
import contextlib
import json
import os
import re
import shutil
import signal
import uuid

import pytest

import lib
from ledger import SUPPORT, headers, raw_mail
from lib import wait_for

MAILS = 3
PLUGINS = """
login_greeting = {greeting}
mail_plugins = acl quota
plugin {{
	acl = vfile
	quota = maildir:Full:ns=Full.
	quota_rule = *:messages={mails}
}}
namespace inbox {{
	inbox = yes
	separator = .
}}
namespace full {{
	prefix = Full.
	separator = .
	location = maildir:{view}/mail/full
}}
{more}
"""
NO_MOVE = "imap_capability = IMAP4rev1 LITERAL+ SASL-IR IDLE UIDPLUS NAMESPACE\n"


class Server:
    def __init__(self, world):
        self.world, self.config = world, world.dir / "dovecot.conf"
        self.plain = self.config.read_text()

    def configure(self, more):
        shutil.rmtree(self.world.dir / "mail" / "full", ignore_errors=True)
        greeting = uuid.uuid4().hex
        view = re.search(r"mail_location = maildir:(\S+)/mail/", self.plain)[1]
        self.config.write_text(self.plain + PLUGINS.format(greeting=greeting, mails=MAILS, view=view, more=more))
        os.kill(json.loads((self.world.dir / "run" / "processes.json").read_text())["dovecot"]["pid"],
                signal.SIGHUP)

        def answers():
            with contextlib.suppress(OSError, EOFError), self.world.mailbox("support") as box:
                return greeting in box.imap.welcome.decode()
        wait_for("the new configuration", answers)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o755)
    lib.run_sandbox("start", folder, "--no-daemon")
    yield Server(lib.World(folder))
    lib.run_sandbox("stop", folder)


class Folders:
    """Where mails come, and where they are to go."""

    def __init__(self, server, target):
        self.world, self.name = server.world, f"box-{uuid.uuid4().hex[:8]}"
        self.target = target.format(self.name)
        self.put = []  # Message-IDs
        self.create(self.name)

    def create(self, name):
        with self.world.mailbox("support") as box:
            assert box.imap.create(name)[0] == "OK"

    def path(self, name):
        return self.world.dir / "mail" / SUPPORT / f".{name}"

    def allow(self, name, rights):
        acl = self.path(name) / "dovecot-acl"
        acl.write_text(f"owner {rights}\n")
        shutil.chown(acl, "mail", "mail")

    def deliver(self, n):
        """Past the server: not even its owner may put something into some of them."""
        for _ in range(n):
            mid, raw = raw_mail("Carol <carol@customer.test>", f"Matter {len(self.put)}", "x\n")
            self.put.append(mid)
            path = self.path(self.name) / "tmp" / uuid.uuid4().hex
            path.write_bytes(raw)
            shutil.chown(path, "mail", "mail")
            path.rename(path.parents[1] / "new" / path.name)

    def ids(self, name):
        with self.world.mailbox("support") as box:
            return sorted(mid for mid, _ in headers(box)) \
                if box.imap.select(name, readonly=True)[0] == "OK" else []


def fill(folders):
    """Nothing fits any more where they are to go."""
    with folders.world.mailbox("support") as box:
        box.imap.create("Full.Done")
        for n in range(MAILS):
            assert box.imap.append("Full.Done", None, None, b"Subject: old\r\n\r\nx\r\n")[0] == "OK"


def empty(folders):
    with folders.world.mailbox("support") as box:
        box.imap.select("Full.Done")
        box.imap.store("1:*", "+FLAGS", "\\Deleted")
        box.imap.expunge()


def lock(name, rights):
    def change(folders):
        if folders.target:
            folders.create(folders.target)
        folders.allow(name.format(folders.name), rights)
    return change


def unlock(name):
    return lambda folders: (folders.path(name.format(folders.name)) / "dovecot-acl").unlink()


# Without a right to delete, Dovecot says OK to STORE and EXPUNGE and does nothing: such mail stays, unsaid.
# What the server can do, what becomes of marked mail, how it is kept from it, how that ends, what is said
CASES = {
    "over quota": ("", "move:Full.Done", fill, empty, "Quota exceeded"),
    "over quota, by COPY": (NO_MOVE, "move:Full.Done", fill, empty, "Quota exceeded"),
    "no folder": ("", "move:{}-done", lambda f: None, lambda f: f.create(f"{f.name}-done"), "doesn't exist"),
    "no right to put": ("", "move:{}-done", lock("{}-done", "lr"), unlock("{}-done"), "says no"),
    "no right to take": ("", "move:{}-done", lock("{}", "lrs"), unlock("{}"), "says no"),
    "read-only": ("", "seen", lock("{}", "lr"), unlock("{}"), "read-only"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_marked_is_had_once_and_told(case, server, make_desk):
    more, after, hinder, mend, words = CASES[case]
    server.configure(more)
    folders = Folders(server, after.partition(":")[2])
    hinder(folders)
    desk = make_desk(server.world, f'mailbox "support" {{ folder = "{folders.name}"  after = '
                                   f'"{after.format(folders.name)}" }}\ndesk {{ alarm_after = "500ms" }}\n')
    desk.run("user", "add", "--email", "admin@desk.test", "--name", "Admin", "--role", "admin",
             "--password-file", server.world.dir / "secrets" / "admin@desk.test")
    desk.start()
    folders.deliver(MAILS - 1)
    wait_for("the alarm", lambda: desk.value("SELECT count(*) FROM outbox WHERE event = 'mailbox_alarm'"))
    assert re.search(f"mails cannot be marked .*{words}", desk.log()), desk.log()
    folders.deliver(1)  # it goes on
    wait_for("the tickets", lambda: desk.value("SELECT count(*) FROM tickets") == MAILS)
    assert folders.ids(folders.name) == sorted(folders.put)
    mend(folders)
    os.kill(next(iter(desk.roles("fetch"))), signal.SIGKILL)  # it would try again after a minute
    wait_for("the marks", lambda: not desk.value("SELECT count(*) FROM mailbox_uids"))
    if after != "seen":
        assert folders.ids(folders.name) == []
    if folders.target:
        assert folders.ids(folders.target) == sorted(folders.put)
    assert desk.value("SELECT count(*) FROM tickets") == MAILS == desk.value(
        "SELECT count(*) FROM messages WHERE direction = 'in'")
    assert desk.value("SELECT count(*) FROM outbox WHERE event = 'mailbox_alarm'") == 1
    desk.stop()
