"""What becomes of the database under a desk: content nobody needs, a server that falls silent."""
import contextlib
import re
import select
import socket

import pytest

import ledger
import libpq
from fakes import Fake
from lib import PATIENCE, wait_for
from serving import Desk

LIMIT = 1  # seconds; 25 unless the setting says less. A tenth more for the answer to come
BUSY = 5   # so long new connections are tried before it is told


def test_content_that_nothing_refers_to_goes(desk, book):
    """What is young may belong to somebody who is about to refer to it."""
    desk.start()
    book.offer(2)
    book.settle()
    desk.stop()
    mails = "SELECT count(*) FROM messages WHERE blob_id IS NOT NULL"
    sent = desk.value(f"{mails} AND direction = 'out'")
    young = desk.value("SELECT max(blob_id) FROM messages WHERE direction = 'in'")
    assert desk.value("SELECT count(*) FROM blobs") == sent + 6
    desk.execute("UPDATE messages SET blob_id = NULL WHERE direction = 'in'")
    desk.execute(f"UPDATE blobs SET put_at = put_at - 86400001 WHERE id <> {young}")
    desk.start()
    wait_for("it to be removed", lambda: "unused contents removed" in desk.log())
    assert "5 unused contents removed" in desk.log()
    assert desk.value(mails) == sent
    assert desk.value("SELECT count(*) FROM blobs") == sent + 1
    desk.stop()


REJECTING = {
    True: "ALTER TABLE tickets ADD CONSTRAINT rejecting CHECK (title <> 'Rejected')",
    False: """CREATE TRIGGER rejecting BEFORE INSERT ON tickets WHEN NEW.title = 'Rejected'
              BEGIN SELECT RAISE(ABORT, 'rejected'); END""",
}


def test_a_mail_that_the_database_rejects_is_kept_apart(desk, book):
    """Those that are taken in with it, before and behind it, are not."""
    desk.start()
    desk.stop()
    desk.execute(REJECTING[bool(desk.database)])
    book.offer(2)
    for _ in range(2):
        book.offer_single(*ledger.raw_mail("Carol <carol@customer.test>", "Rejected", "x\n"),
                          quarantine="database_rejected")
        book.offer(2)
    desk.start()
    book.settle()
    desk.stop()


class Wire(Fake):
    """Passes bytes on to a server's socket until it is silent: then it takes them, and nothing
    comes back, as from a machine that is gone, or a firewall that has forgotten."""

    def __init__(self, path):
        self.path, self.silent, self.swallowed = path, False, 0
        super().__init__()

    def talk(self, conn, lines):
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.path)
            conn.settimeout(None)
            while True:
                for end in select.select([conn, server], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if self.silent:
                        self.swallowed += end is conn
                    else:
                        (server if end is conn else conn).sendall(data)


@pytest.fixture
def wire(make_database):
    with contextlib.ExitStack() as stack:
        database = make_database(stack)
        host, port = re.search(r"host=(\S+) port=(\d+)", database).groups()
        server = stack.enter_context(Wire(f"{host}/.s.PGSQL.{port}"))
        server.direct = database
        server.database = (database.replace(f"host={host} port={port}",
                                            f"host=127.0.0.1 port={server.port}")
                           + f" options='-c statement_timeout={LIMIT}s' connect_timeout={LIMIT}")
        yield server


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("waiting", ["at work", "idle"])
def test_a_server_that_falls_silent_is_noticed(waiting, make_desk, mail_world, model, wire):
    """No byte, no end of the connection. Sessions that it cut off hold nothing up afterwards."""
    desk = make_desk(mail_world, database=wire.database)
    book = ledger.Ledger(desk, model)
    desk.look = wire.direct
    desk.start()
    book.offer(2)
    if waiting == "idle":
        book.settle()
    wire.silent = True
    book.offer(3)
    wait_for("something to be asked", lambda: wire.swallowed)
    wait_for("it to be noticed", lambda: re.search(
        "the database server did not answer in time|database server: no connection in time",
        desk.log()), seconds=BUSY + 3 * LIMIT)
    wire.silent = False
    # The 250s may have come while their commits were swallowed: one for each connection.
    book.may_repeat, book.tries_tell = ledger.CONNECTIONS, True
    book.settle()
    desk.stop()


# What was done to the database, how it is reached then, whether a desk was in it, what is said
UNFIT = {
    "wrong conninfo": (None, "nonsense", False, 65, "expected postgres:CONNINFO"),
    "no such database": (None, "dbname=nowhere", False, 77, "CREATE DATABASE"),
    "no server": (None, "port=1", False, 75, "see that it runs"),
    "no password": (None, "host=127.0.0.1 passfile=/nonexistent", False, 77, "HOST:PORT:DATABASE:USER:PASSWORD"),
    "no such role": (None, "user=nobody_at_all", False, 77, "check user"),
    "encoding": ("CREATE DATABASE {other} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
                 "dbname={other}", False, 77, "not UTF8"),
    "collation": ("CREATE DATABASE {other} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'",
                  "dbname={other}", False, 77, "sorts by the rules of"),
    "nothing may be made": ("CREATE ROLE {other} LOGIN", "user={other}", False, 77, "OWNER TO"),
    "nothing may be read": ("CREATE ROLE {other} LOGIN", "user={other}", True, 77, "OWNER TO"),
    "another program's": ("CREATE TABLE photos (id bigint)", "", False, 77, "name another one"),
    "read-only": ("ALTER DATABASE {this} SET default_transaction_read_only = on", "", False, 75,
                  "a standby, or set to be read-only"),
    "newer": ("UPDATE schema_version SET version = 999", "", True, 77, "the newer maildesk"),
    "older": ("UPDATE schema_version SET version = 0", "", True, 77, "an older maildesk"),
    "half a desk": ("DROP TABLE quarantine", "", True, 77, "restore a backup"),
}


def contents(database):
    """All tables with the number of what was ever written to them."""
    with contextlib.closing(libpq.Connection(database)) as c:
        names = [r[0] for r in c.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind IN"
                                         " ('r', 'i', 'S') AND relnamespace = 'public'::regnamespace"
                                         " ORDER BY 1")]
        tables = [r[0] for r in c.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind ="
                                          " 'r' AND relnamespace = 'public'::regnamespace")]
        return names, [c.execute(f"SELECT count(*), max(xmin::text) FROM {t}")[0] for t in tables]


@pytest.mark.engine("postgres")
@pytest.mark.parametrize("case", UNFIT)
def test_a_database_that_is_not_fit_is_refused_untouched(case, make_database, mail_world, tmp_path):
    sql, reach, is_desk, code, text = UNFIT[case]
    with contextlib.ExitStack() as stack:
        database = make_database(stack)
        other = "other_" + re.search(r"dbname=(\w+)", database)[1]
        if is_desk:
            Desk(tmp_path / "made", mail_world, database=database).add_anna()
        if sql:
            with contextlib.closing(libpq.Connection(database)) as c:
                c.execute(sql.format(other=other, this=other.removeprefix("other_")))
        before = contents(database)
        desk = Desk(tmp_path / "desk", mail_world,
                    database=f"{database} {reach.format(other=other)}")
        with desk.spawn() as serve:
            assert serve.wait(PATIENCE) == code, desk.log()
        assert text in desk.log()
        assert contents(database) == before
