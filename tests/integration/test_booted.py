"""The service under a systemd that was booted for it: this machine's own files, with what is changed in
memory, as a container beside the sandbox's mail servers."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from lib import MAILDESK, TREE, new_mail, wait_for

TARGET = """[Unit]
Requires=basic.target systemd-journald.service
After=basic.target
AllowIsolate=yes
"""


class Machine:
    """A booted container. Its network is the host's, its processes and files are its own."""

    def __init__(self, folder):
        self.folder, self.root, self.boot, self.leader = folder, folder / "root", None, None
        self.log = folder / "boot.log"
        self.mounts = []

    def mount(self, *args):
        done = subprocess.run(["mount", *map(str, args)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no overlay of the root can be mounted here: {done.stderr.strip()}")
        self.mounts.append(args[-1])

    def prepare(self):
        for name in ("memory", "root"):
            (self.folder / name).mkdir()
        self.mount("-t", "tmpfs", "tmpfs", self.folder / "memory")
        for name in ("upper", "work"):
            (self.folder / "memory" / name).mkdir()
        self.mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={self.folder}/memory/upper,"
                   f"workdir={self.folder}/memory/work", self.root)
        for name in ("etc/maildesk", "var/lib/maildesk", "etc/systemd/system/maildesk.service.d"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def install(self):
        """As `make install` does."""
        shutil.copy(MAILDESK, self.root / "usr/sbin/maildesk")
        for unit in ("maildesk.service", "maildesk.socket"):
            text = (TREE / "systemd" / unit).read_text().replace("@SBIN@", "/usr/sbin")
            (self.root / "lib/systemd/system" / unit).write_text(text)
        for kind in ("sysusers", "tmpfiles"):
            shutil.copy(TREE / "systemd" / f"maildesk.{kind}", self.root / f"usr/lib/{kind}.d/maildesk.conf")
        (self.root / "lib/systemd/system/maildesk-test.target").write_text(TARGET)

    def start(self):
        with open(self.log, "wb") as log:
            self.boot = subprocess.Popen(
                ["systemd-nspawn", "-q", "--register=no", "--keep-unit", "-D", self.root, "-b",
                 "--link-journal=no", "systemd.unit=maildesk-test.target"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the machine to boot", self.is_booted, 90)

    def is_booted(self):
        if self.boot.poll() is not None:
            pytest.skip(f"no container boots here: {self.log.read_text(errors='replace')[-300:]}")
        path = pathlib.Path(f"/proc/{self.boot.pid}/task/{self.boot.pid}/children")
        children = path.read_text().split()
        if not children:
            return False
        self.leader = children[0]
        return self("systemctl", "is-active", "maildesk-test.target").stdout.strip() == "active"

    def __call__(self, *args, text=None):
        return subprocess.run(["nsenter", "-t", self.leader, "-m", "-u", "-i", "-p", "-r", "-w", "--",
                               *map(str, args)], text=True, capture_output=True, timeout=120,
                              input=text or "", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def show(self, *names, unit="maildesk.service"):
        """Properties of the unit, in the order asked for."""
        lines = self("systemctl", "show", unit, *(f"-p{n}" for n in names)).stdout.splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return [values[n] for n in names] if len(names) > 1 else values[names[0]]

    def journal(self):
        lines = self("journalctl", "-o", "json", "-u", "maildesk").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def stop(self):
        """In order, else by the death of its init, with which everything in it dies."""
        if self.boot and self.boot.poll() is None and self.leader:
            os.kill(int(self.leader), signal.SIGRTMIN + 4)  # poweroff
            try:
                self.boot.wait(30)
            except subprocess.TimeoutExpired:
                os.kill(int(self.leader), signal.SIGKILL)
        if self.boot:
            if not self.leader:
                self.boot.kill()
            self.boot.wait(30)
        for where in reversed(self.mounts):
            subprocess.run(["umount", "-l", where], check=False)


@pytest.fixture(scope="module")
def machine(mail_world, tmp_path_factory):
    if os.geteuid() or not shutil.which("systemd-nspawn"):
        pytest.skip("needs root and systemd-nspawn")
    m = Machine(tmp_path_factory.mktemp("boot"))
    with contextlib.ExitStack() as stack:
        stack.callback(m.stop)
        m.prepare()
        m.install()
        # LeakSanitizer traces its process, which the unit forbids.
        drop_in = m.root / "etc/systemd/system/maildesk.service.d"
        drop_in.mkdir(parents=True)
        (drop_in / "sanitizer.conf").write_text("[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")
        etc = m.root / "etc/maildesk"
        etc.mkdir(mode=0o750)
        shutil.copy(mail_world["imap"]["ca_file"], etc / "ca.pem")
        m.start()
        yield m


@pytest.fixture(scope="module")
def port(mail_world):
    return int(mail_world["http"].rpartition(":")[2])


@pytest.fixture(scope="module")
def service(machine, mail_world, port):
    """`maildesk init` as root, which ends with a running desk: what the README says."""
    account = mail_world.accounts["support"]
    assert machine("id", "maildesk").returncode == 0  # sysusers
    assert machine("stat", "-c", "%U:%G %a", "/etc/maildesk/conf.d").stdout == "root:maildesk 750\n"
    machine("sh", "-c", "cat > /root/mail.pw; chmod 600 /root/mail.pw", text=account["password"] + "\n")
    machine("sh", "-c", "cat > /root/admin.pw", text="correct horse\n")
    machine("sh", "-c", "umask 077; cp /etc/maildesk/ca.pem /root/ca.pem")

    def init(ca_file):
        return machine("maildesk", "init", "--address", account["address"], "--imap-host", "127.0.0.1",
                       "--imap-port", mail_world["imap"]["tls_port"], "--ca-file", ca_file,
                       "--imap-password-file", "-", "--smtp-port", mail_world["smtp"]["port"],
                       "--smtp-tls", "none", "--admin-email", "admin@desk.test", "--admin-password-file",
                       "/root/admin.pw", "--listen", f"127.0.0.1:{port}", text=account["password"] + "\n")
    done = init("/root/ca.pem")  # root reads it, the service does not
    assert done.returncode == 78 and "ca_file: /root/ca.pem: Permission denied" in done.stderr, done.stderr
    assert machine("ls", "/etc/maildesk").stdout.split() == ["ca.pem", "conf.d"]
    done = init("/etc/maildesk/ca.pem")
    assert done.returncode == 0, done.stderr
    assert "The desk is running" in done.stdout, machine("journalctl", "-u", "maildesk").stdout
    assert machine("systemctl", "is-enabled", "maildesk").stdout == "enabled\n"
    return machine


def test_it_runs_as_its_own_user_and_says_how_it_does(service, mail_world):
    assert service.show("ActiveState", "SubState", "User") == ["active", "running", "maildesk"]
    wait_for("the status", lambda: service.show("StatusText") == "1 of 1 mailboxes ok")
    pid = service.show("MainPID")
    assert service("stat", "-c", "%U", f"/proc/{pid}").stdout.strip() == "maildesk"
    done = service("runuser", "-u", "maildesk", "--", "maildesk", "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    mail_world.send(new_mail("carol@customer.test", "support@desk.test", "Booted", "It burns."),
                    login="carol")

    def taken():
        return next((e for e in service.journal() if e.get("MAILDESK_TICKET") == "1"), None)
    entry = wait_for("the ticket in the journal", taken)
    assert entry["MAILDESK_MAILBOX"] == "support" and entry["MAILDESK_MESSAGE_ID"]
    assert entry["SYSLOG_IDENTIFIER"] == "maildesk" and entry["PRIORITY"] == "6"


def test_a_reload_takes_a_new_configuration_or_says_why_not(service):
    fragment = service.root / "etc/maildesk/conf.d/50-test.conf"
    fragment.write_text('desk { nmae = "x" }\n')
    done = service("systemctl", "reload", "maildesk")
    assert done.returncode != 0 and service.show("ActiveState") == "active"
    assert any('did you mean "name"' in e["MESSAGE"] for e in service.journal())
    fragment.write_text('desk { name = "x" }\n')
    assert service("systemctl", "reload", "maildesk").returncode == 0
    wait_for("the new configuration", lambda: any("new configuration: 1 mailbox," in e["MESSAGE"]
                                                  for e in service.journal()))
    assert service.show("ActiveState", "NRestarts") == ["active", "0"]


def test_a_broken_configuration_is_not_tried_for_ever(service):
    fragment = service.root / "etc/maildesk/conf.d/50-test.conf"
    fragment.write_text('desk { nmae = "x" }\n')
    assert service("systemctl", "restart", "maildesk").returncode != 0
    assert service.show("ActiveState", "NRestarts", "ExecMainStatus") == ["failed", "0", "78"]
    fragment.unlink()
    service("systemctl", "reset-failed", "maildesk")
    assert service("systemctl", "start", "maildesk").returncode == 0


def test_secrets_may_be_roots_alone(service):
    """LoadCredential=: the service reads what its user may not."""
    config = service.root / "etc/maildesk/maildesk.conf"
    config.write_text(re.sub(r'password_file = ".*"', 'password_file = "mail.secret"',
                             config.read_text()))
    drop_in = service.root / "etc/systemd/system/maildesk.service.d"
    drop_in.mkdir(parents=True, exist_ok=True)
    (drop_in / "credential.conf").write_text("[Service]\nLoadCredential=mail.secret:/root/mail.pw\n")
    service("systemctl", "daemon-reload")
    assert service("systemctl", "restart", "maildesk").returncode == 0
    wait_for("the mailbox", lambda: service.show("StatusText") == "1 of 1 mailboxes ok")


def test_one_that_is_stuck_is_started_again(service):
    drop_in = service.root / "etc/systemd/system/maildesk.service.d"
    (drop_in / "watchdog.conf").write_text("[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
    service("systemctl", "daemon-reload")
    assert service("systemctl", "restart", "maildesk").returncode == 0
    pid = service.show("MainPID")
    service("kill", "-STOP", pid)
    wait_for("another life", lambda: service.show("NRestarts") != "0"
             and service.show("ActiveState") == "active", 90)
    assert service.show("MainPID") != pid
    (drop_in / "watchdog.conf").unlink()
    service("systemctl", "daemon-reload")


def test_the_socket_starts_it_and_bears_its_restart(service, port):
    drop_in = service.root / "etc/systemd/system/maildesk.socket.d"
    drop_in.mkdir(parents=True)
    (drop_in / "port.conf").write_text(f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n")
    service("systemctl", "stop", "maildesk")
    service("systemctl", "daemon-reload")
    assert service("systemctl", "start", "maildesk.socket").returncode == 0
    assert service.show("ActiveState") == "inactive"
    ask = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/readyz")
    if not shutil.which("curl"):
        ask = ("python3", "-c", "import sys, urllib.request; "
               "print(urllib.request.urlopen(sys.argv[1]).status)", ask[-1])
    assert service(*ask).stdout.strip() == "200"
    assert service.show("ActiveState") == "active"
    restart = subprocess.Popen(["nsenter", "-t", service.leader, "-m", "-p", "-r", "-w", "--",
                                "systemctl", "restart", "maildesk"])
    while restart.poll() is None:
        assert service(*ask).stdout.strip() == "200"
    assert restart.returncode == 0
