"""Fixtures: a mail world without the daemon for each session, worlds with the daemon as wanted."""
import os

import pytest

import lib


NO_LIMITS = """\
limits { auto_per_address_hour = 0  auto_per_address_day = 0  auto_desk_hour = 0
	inbound_per_sender_hour = 0  anonymous_per_minute = 0  user_per_minute = 0  login_per_minute = 0 }
"""


def open_folder(folder):
    """pytest closes its folders; the mail servers' own users must pass (see run-integration)."""
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def mail_world(tmp_path_factory):
    """Dovecot and Postfix without the daemon; mailboxes are shared, so tests use own subjects."""
    folder = open_folder(tmp_path_factory.mktemp("mail"))
    lib.run_sandbox("start", folder, "--no-daemon")
    yield lib.World(folder)
    lib.run_sandbox("stop", folder)


@pytest.fixture
def start_world(tmp_path):
    """start_world(*options, name="world", fragment=None) starts a sandbox that ends with the test."""
    started = []

    def start(*options, name="world", fragment=None, **keywords):
        folder = open_folder(tmp_path) / name
        if fragment is not None:
            path = tmp_path / f"{name}.conf"
            path.write_text(fragment)
            options = (*options, "--config", path)
        started.append(folder)
        lib.run_sandbox("start", folder, *options, **keywords)
        return lib.World(folder)

    yield start
    for folder in started:
        if (folder / "sandbox.json").exists():
            lib.run_sandbox("stop", folder)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A world with the daemon, one for each file of tests; without limits that many tests reach."""
    need_daemon()
    folder = open_folder(tmp_path_factory.mktemp("desk"))
    fragment = folder.parent / "no-limits.conf"
    fragment.write_text(NO_LIMITS)
    lib.run_sandbox("start", folder, "--config", fragment)
    yield lib.World(folder)
    lib.run_sandbox("stop", folder)


def need_daemon():
    assert os.access(lib.MAILDESK, os.X_OK), f"{lib.MAILDESK} is not built"
