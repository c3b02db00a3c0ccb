"""Fixtures: a mail world without the daemon for each session, worlds with the daemon as wanted.

All desks of a run are on one engine: on a private PostgreSQL with $MAILDESK_TEST_DB, which names it
(run-integration sets it), each on an empty database of its own; else on SQLite. What uses no desk is
tested with SQLite only; pytest.mark.engine("sqlite"|"postgres") says so of other tests.
"""
import contextlib
import itertools
import os

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
