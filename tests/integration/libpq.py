"""Just enough of libpq to look into a desk's database, in the manner of sqlite3."""
import contextlib
import ctypes
import itertools
import re

# As pg_type.dat numbers them: int8, int2, int4; bool, which is 0 or 1 in SQLite; bytea, "\\x..."
READERS = {**dict.fromkeys((20, 21, 23), int), 16: "ft".index, 17: lambda s: bytes.fromhex(s[2:])}
FIRST_OK, LAST_OK = 1, 2  # PGRES_COMMAND_OK, PGRES_TUPLES_OK


@contextlib.contextmanager
def result(pq, value):
    try:
        yield value
    finally:
        pq.PQclear(value)


def load():
    pq = ctypes.CDLL("libpq.so.5")
    for name, returns in (("PQconnectdb", ctypes.c_void_p), ("PQexecParams", ctypes.c_void_p),
                          ("PQfname", ctypes.c_char_p), ("PQgetvalue", ctypes.c_char_p),
                          ("PQerrorMessage", ctypes.c_char_p)):
        getattr(pq, name).restype = returns
    return pq


class Row(tuple):
    def __new__(cls, names, values):
        row = super().__new__(cls, values)
        row.names = names
        return row

    def __getitem__(self, key):
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


class Rows(list):
    def fetchall(self):
        return self

    def fetchone(self):
        return self[0] if self else None


class Connection:
    """To the database that a desk's setting names."""

    def __init__(self, database):
        self.pq = load()
        self.connection = ctypes.c_void_p(
            self.pq.PQconnectdb(database.removeprefix("postgres:").encode()))
        if self.pq.PQstatus(self.connection):
            error = self.error()
            self.close()
            raise ConnectionError(error)

    def error(self):
        return self.pq.PQerrorMessage(self.connection).decode().strip()

    def execute(self, sql, args=()):
        """Parameters are written "?"."""
        numbers = itertools.count(1)
        text = re.sub(r"\?", lambda _: f"${next(numbers)}", sql).encode()
        values = (ctypes.c_char_p * len(args))(*(str(a).encode() for a in args))
        with result(self.pq, ctypes.c_void_p(self.pq.PQexecParams(
                self.connection, text, len(args), None, values, None, None, 0))) as r:
            if not FIRST_OK <= self.pq.PQresultStatus(r) <= LAST_OK:
                raise ConnectionError(self.error())
            return self.rows(r)

    def rows(self, r):
        columns = range(self.pq.PQnfields(r))
        names = [self.pq.PQfname(r, i).decode() for i in columns]
        kinds = [READERS.get(self.pq.PQftype(r, i), str) for i in columns]

        def value(n, i):
            if self.pq.PQgetisnull(r, n, i):
                return None
            return kinds[i](self.pq.PQgetvalue(r, n, i).decode())
        return Rows(Row(names, [value(n, i) for i in columns])
                    for n in range(self.pq.PQntuples(r)))

    def close(self):
        self.pq.PQfinish(self.connection)


idle = {}  # {database: a connection}, of the one looked into last: a new one costs the server a process


@contextlib.contextmanager
def snapshot(database):
    """A connection that sees one moment of it."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ"
    c = idle.pop(database, None)
    for other in [*idle]:
        idle.pop(other).close()
    try:
        if c:
            c.execute(begin)
    except ConnectionError:  # the server ended it meanwhile
        c.close()
        c = None
    if not c:
        c = Connection(database)
        c.execute(begin)
    try:
        yield c
        c.execute("ROLLBACK")
    except BaseException:
        c.close()
        raise
    if idle.setdefault(database, c) is not c:
        c.close()
