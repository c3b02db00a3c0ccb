"""Fixtures: a mail world without the daemon for each session, worlds with the daemon as wanted.

All desks of a run are on one engine: on a private PostgreSQL with $MAILDESK_TEST_DB, which names it
(run-integration sets it), each on an empty database of its own; else on SQLite. What uses no desk is
tested with SQLite only; pytest.mark.engine("sqlite"|"postgres") says so of other tests.

Several runs, lanes, can share the tests: with $MAILDESK_TAKEN, an empty folder, each test is done by
the lane that comes to it first, and with it all that share a fixture of its file (run-integration).
"""
import contextlib
import hashlib
import itertools
import os
import pathlib

import pytest

import lib
import libpq

SERVER = os.environ.get("MAILDESK_TEST_DB")
ENGINE = "postgres" if SERVER else "sqlite"

NO_LIMITS = """\
limits { auto_per_address_hour = 0  auto_per_address_day = 0  auto_desk_hour = 0
	inbound_per_sender_hour = 0  anonymous_per_minute = 0  user_per_minute = 0  login_per_minute = 0 }
"""


def open_folder(folder):
    """pytest closes its folders; the mail servers' own users must pass (see run-integration)."""
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    return folder


def pytest_configure(config):
    config.addinivalue_line("markers", "engine(name): for desks on this engine only")


def pytest_collection_modifyitems(config, items):
    def is_meant(item):
        mark = item.get_closest_marker("engine")
        name = mark.args[0] if mark else None if "make_database" in item.fixturenames else "sqlite"
        return name in (None, ENGINE)

    others = [item for item in items if not is_meant(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if is_meant(item)]


def shared_part(item):
    """The tests that go to one lane: those of a file that have something of their own started for
    them, else the single one."""
    defined = item._fixtureinfo.name2fixturedefs.values()
    return item.path if any(d[-1].scope == "module" for d in defined) else item.nodeid


def take_tests(items):
    """Each time the next test that no other lane has taken, until all are taken."""
    taken, mine = pathlib.Path(os.environ["MAILDESK_TAKEN"]), set()
    for item in items:
        part = hashlib.sha256(str(shared_part(item)).encode()).hexdigest()
        if part not in mine:
            try:
                (taken / part).touch(exist_ok=False)
            except FileExistsError:
                continue
            mine.add(part)
        yield item


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if "MAILDESK_TAKEN" not in os.environ or session.testsfailed or session.config.option.collectonly:
        return None  # pytest's own loop
    tests = take_tests(session.items)
    item = next(tests, None)
    while item:
        following = next(tests, None)  # which of the fixtures stay depends on it
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


@pytest.fixture(scope="session")
def make_database():
    """make_database(stack): the value of `database` for one more desk, None for a file of its own;
    gone with the ExitStack."""
    numbers = itertools.count(1)

    def execute(sql):
        with contextlib.closing(libpq.Connection(SERVER)) as server:
            server.execute(sql)

    def make(stack):
        if not SERVER:
            return None
        name = f"desk{next(numbers)}"
        execute(f"CREATE DATABASE {name}")
        stack.callback(execute, f"DROP DATABASE {name} WITH (FORCE)")
        return SERVER.replace("dbname=maildesk", f"dbname={name}")
    return make


@pytest.fixture(scope="session")
def mail_world(tmp_path_factory):
    """Dovecot and Postfix without the daemon; mailboxes are shared, so tests use own subjects."""
    folder = open_folder(tmp_path_factory.mktemp("mail"))
    lib.run_sandbox("start", folder, "--no-daemon")
    yield lib.World(folder)
    lib.run_sandbox("stop", folder)


def start_sandbox(folder, make_database, stack, *options, **keywords):
    database = make_database(stack)
    if database:
        options = (*options, "--database", database)
    stack.callback(stop_sandbox, folder)
    lib.run_sandbox("start", folder, *options, **keywords)
    return lib.World(folder)


def stop_sandbox(folder):
    if (folder / "sandbox.json").exists():
        lib.run_sandbox("stop", folder)


@pytest.fixture
def start_world(tmp_path, make_database):
    """start_world(*options, name="world", fragment=None) starts a sandbox that ends with the test."""

    def start(*options, name="world", fragment=None, **keywords):
        folder = open_folder(tmp_path) / name
        if fragment is not None:
            path = tmp_path / f"{name}.conf"
            path.write_text(fragment)
            options = (*options, "--config", path)
        return start_sandbox(folder, make_database, stack, *options, **keywords)

    with contextlib.ExitStack() as stack:
        yield start


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory, make_database):
    """start_shared(fragment): a world with the daemon for all tests of a file."""
    assert os.access(lib.MAILDESK, os.X_OK), f"{lib.MAILDESK} is not built"

    def start(text):
        folder = open_folder(tmp_path_factory.mktemp("desk"))
        fragment = folder.parent / f"{folder.name}.conf"
        fragment.write_text(text)
        return start_sandbox(folder, make_database, stack, "--config", fragment)

    with contextlib.ExitStack() as stack:
        yield start


@pytest.fixture(scope="module")
def desk(request, start_shared):
    """One without limits that many tests reach. A file that wants more than the sandbox's
    configuration names it in DESK."""
    return start_shared(NO_LIMITS + getattr(request.module, "DESK", ""))
