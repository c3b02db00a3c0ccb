"""TLS of our own, from a certificate that is renewed while the daemon runs."""
import http.client
import shutil
import ssl
import subprocess
import urllib.parse

import pytest

from lib import wait_for


def make_certificate(folder, name):
    """A self-signed certificate of desk.test: (its file, the file of its key)."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}.test",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def serve_tls(make_desk, mail_world, folder):
    for name in ("served", "next"):
        make_certificate(folder, name)
    desk = make_desk(mail_world, f'http {{ certificate = "{folder}/served.pem"\n'
                                 f'\tkey = "{folder}/served.key" }}\n')
    desk.start()
    return desk


def connect(desk, context=None):
    url = urllib.parse.urlsplit(desk.world["http"])
    if not context:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(url.hostname, url.port, timeout=20, context=context)


def ask(c, path="/healthz"):
    c.request("GET", path)
    answer = c.getresponse()
    answer.read()
    return answer.status


def shown(c):
    c.connect()
    return ssl.DER_cert_to_PEM_cert(c.sock.getpeercert(binary_form=True))


@pytest.mark.filterwarnings("ignore:.*TLSv1_1:DeprecationWarning")
def test_our_own_tls_and_a_renewed_certificate(make_desk, mail_world, tmp_path):
    desk = serve_tls(make_desk, mail_world, tmp_path)
    served, key = tmp_path / "served.pem", tmp_path / "served.key"
    kept = connect(desk)
    assert shown(kept).strip() == served.read_text().strip()
    assert ask(kept) == 200
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        ask(connect(desk, old))
    # half of a renewal changes nothing, a whole one is served to who comes next
    shutil.copy(tmp_path / "next.pem", served)
    assert ask(connect(desk)) == 200
    shutil.copy(tmp_path / "next.key", key)
    wait_for("the new certificate", lambda: shown(connect(desk)).strip() ==
             (tmp_path / "next.pem").read_text().strip())
    assert ask(kept) == 200
    url = urllib.parse.urlsplit(desk.world["http"])
    plain = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(plain)
