"""Servers that misbehave as told, and remember every byte they were sent."""
import contextlib
import email
import re
import socket
import ssl
import subprocess
import threading


class Fake:
    """Listens on a free loopback port; self.talk(file) runs in a thread for each connection."""

    def __init__(self, tls=None):
        self.tls, self.heard, self.connections, self.error = tls, b"", 0, None
        self.listener = None
        self.lock = threading.Lock()
        self.port = 0
        self.open()

    def open(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """Connections are refused from now on."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                conn = listener.accept()[0]
                threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with self.lock:
            self.connections += 1
        with conn, contextlib.suppress(OSError, ssl.SSLError):
            conn.settimeout(30)
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            with conn, conn.makefile("rb") as lines:
                self.talk(conn, lines)

    def line(self, lines):
        """The next line without its end; None at the end."""
        line = lines.readline()
        with self.lock:
            self.heard += line
        return line.rstrip(b"\r\n").decode(errors="replace") if line else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Smtp(Fake):
    """Takes mails. faults: {step: [answer, ...]}; each answer is used up once, "drop" hangs up
    instead, "silence" answers nothing until the client goes. Steps: connect EHLO AUTH MAIL RCPT
    DATA end (after the dot)."""

    def __init__(self, faults=None, extensions=(), tls=None):
        self.faults, self.extensions = faults or {}, extensions
        self.mails = []  # (recipient, Message-ID), in the order of their 250
        self.texts = []  # of mails, as they came, refused ones too
        super().__init__(tls)

    def answer(self, conn, lines, step, normal, key=""):
        """What was said; "": the connection is over."""
        with self.lock:
            waiting = self.faults.get(f"{step} {key}" if key else step) or self.faults.get(step)
            text = waiting.pop(0) if waiting else normal
        if text == "drop":
            return ""
        if text == "silence":
            while self.line(lines) is not None:
                pass
            return ""
        conn.sendall(text.encode() + b"\r\n")
        return "" if text.startswith("421") else text

    def talk(self, conn, lines):
        going, recipient = self.answer(conn, lines, "connect", "220 fake"), None
        while going:
            line = self.line(lines)
            if line is None:
                return
            verb = line[:4].upper()
            if verb == "EHLO":
                names = ["fake", *self.extensions]
                text = "\r\n".join(f"250{'-' if n < len(names) else ' '}{name}"
                                   for n, name in enumerate(names, 1))
                going = self.answer(conn, lines, "EHLO", text)
            elif verb == "RCPT":
                recipient = re.search("<(.*?)>", line).group(1)
                going = self.answer(conn, lines, "RCPT", "250 ok", recipient)
            elif verb == "DATA":
                going = self.answer(conn, lines, "DATA", "354 go on")
                if going.startswith("354"):
                    going = self.take_mail(conn, lines, recipient)
            elif verb == "AUTH":
                conn.sendall(b"334 \r\n")
                self.line(lines)
                going = self.answer(conn, lines, "AUTH", "235 welcome")
            elif verb == "QUIT":
                conn.sendall(b"221 bye\r\n")
                return
            else:
                going = self.answer(conn, lines, verb, "250 ok")

    def take_mail(self, conn, lines, recipient):
        text = []
        while (line := lines.readline()) not in (b".\r\n", b""):
            text.append(line)
        if not line:
            return ""
        self.texts.append(b"".join(text))
        mail = email.message_from_bytes(self.texts[-1])
        with self.lock:
            failing = self.faults.get("end")
            if not failing or failing[0] == "drop":
                self.mails.append((recipient, mail["Message-ID"].strip("<>")))
        return self.answer(conn, lines, "end", "250 taken")


class Script(Fake):
    """Says its lines, one after each line it hears, then only listens."""

    def __init__(self, said, tls=None):
        self.said = said
        super().__init__(tls)

    def talk(self, conn, lines):
        said = list(self.said)
        while True:
            if said:
                conn.sendall(said.pop(0).encode() + b"\r\n")
            if self.line(lines) is None:
                return


def make_server_context(folder, ca, name):
    """TLS with a certificate for `name`, of the authority in folder `ca` (None: self-signed)."""
    key, cert, request = folder / f"{name}.key", folder / f"{name}.pem", folder / f"{name}.csr"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n")
    for command in (
            ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-subj", f"/CN={name}", "-keyout", key, "-out", request),
            ("x509", "-req", "-in", request, "-days", "30", "-extfile", extensions, "-out", cert,
             *(("-CA", ca / "ca.pem", "-CAkey", ca / "ca.key", "-set_serial", "77") if ca
               else ("-signkey", key)))):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
