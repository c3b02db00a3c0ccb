"""What a sandbox started, remembered in DIR/run so that it can be ended exactly, also after a crash.

Every server is the leader of a session of its own; what it forks stays in that session whatever
becomes of the leader. A record is (pid, start time, boot): a pid alone may be someone else's by now.

Servers run in a mount namespace of their own in which DIR is mounted on a short path (VIEW). So
their sockets fit into the 108 bytes of sun_path however long DIR is, the users they drop to reach
DIR however closed its parents are, and nothing outside DIR is written. Where namespaces are not
allowed (an unprivileged container) DIR is used directly, if it is short and open enough.
"""
import json
import os
import pathlib
import signal
import subprocess
import time

BOOT = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
SUN_PATH_LEFT = 66  # of 108 bytes; the rest is for the longest name Dovecot makes below DIR


class SandboxError(Exception):
    """Ends the command with this text."""


def wait_until(what, condition, seconds=120.0):
    """Returns the first true value of condition(), polled; SandboxError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise SandboxError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)


def _stat(pid):
    """(state, session, start time) of a process, or None."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[3]), int(fields[19])


class Processes:
    def __init__(self, folder):
        self.path = folder / "run" / "processes.json"
        self.log = folder / "log"
        self.view = _choose_view(folder)
        self.folder = folder

    def _load(self):
        try:
            records = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        return {name: r for name, r in records.items() if r["boot"] == BOOT}

    def _save(self, records):
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(records, indent=1))
        new.rename(self.path)

    def pid(self, name):
        """The leader's pid while it lives, else None."""
        record = self._load().get(name)
        stat = record and _stat(record["pid"])
        if stat and stat[0] not in "ZX" and stat[2] == record["start"]:
            return record["pid"]
        return None

    def spawn(self, name, command, inside=True, **options):
        """Starts a server as a session leader; inside: where DIR is VIEW."""
        command = [str(c) for c in command]
        if inside and self.view != str(self.folder):
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                       'mount --bind "$0" "$1" && shift && exec "$@"',
                       str(self.folder), self.view, *command]
        with open(self.log / f"{name}.out", "ab") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     cwd="/", start_new_session=True, **options)
        records = self._load()
        records[name] = {"pid": child.pid, "start": _stat(child.pid)[2], "boot": BOOT}
        self._save(records)
        return child

    def members(self, name):
        """Live pids of the session that `name` leads or led."""
        record = self._load().get(name)
        if not record:
            return []
        leader = _stat(record["pid"])
        if leader and leader[2] != record["start"]:
            return []  # the number was given to somebody else
        found = []
        for entry in os.listdir("/proc"):
            stat = entry.isdigit() and _stat(entry)
            if stat and stat[0] not in "ZX" and stat[1] == record["pid"] \
                    and stat[2] >= record["start"]:
                found.append(int(entry))
        return found

    def end(self, name, grace=10.0):
        """SIGTERM to the leader if it gets a grace (seconds), SIGKILL to what is left of its session;
        returns when all is gone."""
        leader = self.pid(name)
        if leader and grace:
            _kill(leader, signal.SIGTERM)
            try:
                wait_until("the end", lambda: not self.pid(name), grace)
            except SandboxError:
                pass
        left = self.members(name)
        while left:
            for pid in left:
                _kill(pid, signal.SIGKILL)
            time.sleep(0.01)
            left = self.members(name)
        records = self._load()
        if records.pop(name, None):
            self._save(records)


def _kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _choose_view(folder):
    tried = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"],
                           stderr=subprocess.DEVNULL)
    if tried.returncode == 0:
        binary = os.path.realpath(os.environ.get("MAILDESK", __file__))
        for view in ("/mnt", "/media", "/srv"):
            hidden = [p for p in (str(folder), binary) if p.startswith(view + "/")]
            if os.path.isdir(view) and not hidden:
                return view
    closed = [p for p in folder.parents if not p.stat().st_mode & 0o001]
    if closed or len(str(folder)) > SUN_PATH_LEFT:
        raise SandboxError(
            f"{folder}: mount namespaces are not allowed here, so the folder must be short (at most "
            f"{SUN_PATH_LEFT} bytes) and all its parents open to other users (chmod o+x)")
    return str(folder)
