"""A client of GET /events: reads the stream as it comes."""
import json
import http.client
import socket
import time
import urllib.parse

import lib


class Watch:
    """What one person (an lib.Api that is signed in) is told. Use with `with`."""

    def __init__(self, api, last=None, headers=None):
        at = urllib.parse.urlsplit(api.base)
        self.http = http.client.HTTPConnection(at.hostname, at.port, timeout=lib.PATIENCE)
        headers = dict(headers or {})
        if api.token:
            headers["Authorization"] = f"Bearer {api.token}"
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.http.request("GET", "/api/v1/events", headers=headers)
        self.answer = self.http.getresponse()
        self.status, self.headers = self.answer.status, self.answer.headers
        self.last, self.raw = last, ""
        if self.status == 200:  # the first block says where the stream begins
            block = self.block()
            self.first = block.get("event")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer.close()
        self.http.close()

    def block(self):
        """The next block of lines as {field: value}; None at the end."""
        fields = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                return None
            self.raw += line
            if line == "\n":
                if "id" in fields:
                    self.last = int(fields["id"])
                return fields
            name, _, value = line.rstrip("\n").partition(":")
            fields[name] = value.strip()

    def next(self):
        """The next event: (id, type, data); None at the end. Heartbeats are read over."""
        while True:
            block = self.block()
            if block is None:
                return None
            if "event" in block:
                data = json.loads(block["data"])
                assert data["type"] == block["event"]
                return int(block["id"]), block["event"], data

    def until(self, matches):
        """All events up to the first that matches(type, data), which is the last of them."""
        seen, deadline = [], time.monotonic() + lib.PATIENCE
        while True:
            event = self.next()
            assert event, f"the stream ended after {seen}"
            assert time.monotonic() < deadline, f"in vain; there were {seen}"
            seen.append(event)
            if matches(event[1], event[2]):
                return seen

    def is_over(self):
        """Reads to the end of the stream; False when there is none for a while."""
        self.http.sock and self.http.sock.settimeout(lib.PATIENCE)
        try:
            while self.block() is not None:
                pass
        except socket.timeout:
            return False
        return True
