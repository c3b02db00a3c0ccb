"""A private PostgreSQL cluster in a folder: initdb, start, readiness.

No system service is touched and nothing is written outside DIR: data, socket and log lie in it, the
port is a free one of loopback. PostgreSQL refuses to run as root; it is then given to the user of
Debian's package, who must be able to reach DIR. Socket connections need no password, those to
127.0.0.1 do (records["password"]), so that a wrong one can be tried.
"""
import contextlib
import os
import pathlib
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess

from processes import SandboxError, wait_until

USER = "maildesk"

# A test's rows need not survive a power cut; `durable` measures what a desk pays.
QUICK = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{run}'
max_connections = 200
shared_buffers = 64MB
log_line_prefix = '%m [%p] '
# Tests write much in little time; a checkpoint each second would be most of it.
max_wal_size = 1GB
{more}"""
ACCESS = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def find_binary(name):
    """The newest server's: Debian keeps them off the path."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                   key=lambda p: int(p.parts[4]) if p.parts[4].isdigit() else 0)
    path = str(found[-1]) if found else shutil.which(name)
    if not path:
        raise SandboxError(f"{name}: not installed (tests/deps)")
    return path


def _identity():
    """Popen's options for whom the server runs as."""
    if os.geteuid():
        return {}
    try:
        who = pwd.getpwnam("postgres")
    except KeyError:
        who = pwd.getpwnam("nobody")
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _free_port():
    """Below the ephemeral range, so that no outgoing connection takes it."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def make_cluster(folder, durable):
    """initdb in folder/postgres; its records: what a client has to know."""
    home, run = folder / "postgres", folder / "run"
    identity = _identity()
    home.mkdir(mode=0o700)
    run.chmod(0o755)
    sockets = run / "postgres"
    sockets.mkdir()
    if identity:
        for path in (home, sockets):
            os.chown(path, identity["user"], identity["group"])
    if len(str(sockets)) > 80:
        raise SandboxError(f"{folder}: too long for a socket of PostgreSQL (at most 80 bytes)")
    password = secrets.token_hex(12)
    secret = sockets / "password"
    secret.write_text(password)
    if identity:
        os.chown(secret, identity["user"], identity["group"])
    done = subprocess.run([find_binary("initdb"), "-D", str(home / "data"), "-U", USER,
                           "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync",
                           f"--pwfile={secret}"],
                          capture_output=True, text=True, cwd="/", **identity)
    secret.unlink()
    if done.returncode:
        raise SandboxError(f"initdb: {done.stderr.strip()}")
    port = _free_port()
    (home / "data" / "postgresql.conf").write_text(
        SETTINGS.format(port=port, run=sockets, more="" if durable else QUICK))
    (home / "data" / "pg_hba.conf").write_text(ACCESS)
    return {"host": str(sockets), "port": port, "user": USER, "password": password,
            "database": f"postgres:host={sockets} port={port} user={USER} dbname=maildesk"}


def start_cluster(processes, records):
    """Returns when it answers; makes the database on the first start."""
    data = processes.folder / "postgres" / "data"
    client = ["-h", records["host"], "-p", str(records["port"]), "-U", records["user"]]
    child = None

    def answers():
        nonlocal child
        if child is None:
            child = processes.spawn("postgres", [find_binary("postgres"), "-D", data],
                                    inside=False, **_identity())
        if child.poll() is not None:
            text = (processes.log / "postgres.out").read_text(errors="replace")
            # What a killed one leaves for a moment: its children, or its pid until it is reaped.
            if not any(s in text[-400:] for s in ("is still in use", "Is another postmaster")):
                raise SandboxError(f"postgres ended with {child.returncode}:\n{text[-2000:]}")
            child = None
            return None
        done = subprocess.run([find_binary("psql"), "-qAt", *client, "-d", "template1", "-c",
                               "SELECT COUNT(*) FROM pg_database WHERE datname = 'maildesk'"],
                              capture_output=True, text=True, cwd="/", check=False)
        return done.stdout.strip()
    if wait_until("postgres to answer", answers) == "0":
        subprocess.run([find_binary("createdb"), *client, "--maintenance-db=template1",
                        "maildesk"], check=True, cwd="/")


def stop_cluster(processes, kill=False):
    """SIGINT ends it without waiting for its clients; --kill is a crash."""
    pid = processes.pid("postgres")
    if pid and not kill:
        os.kill(pid, signal.SIGINT)
        with contextlib.suppress(SandboxError):
            wait_until("postgres to end", lambda: not processes.pid("postgres"))
    processes.end("postgres", grace=0)
