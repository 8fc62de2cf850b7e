"""A mail server (aiosmtpd, which others wrote) and an HTTP server on loopback, for tests/real/notify.

notify_peer.py FOLDER: writes the ports to FOLDER/ports, each letter and each request to FOLDER/told,
a line of JSON each. Letters need a log-in (me, geheim-7), and over smtp TLS before it.
"""
import email
import email.policy
import http.server
import json
import os
import socket
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

folder = sys.argv[1]
lock = threading.Lock()


def tell(entry):
    with lock, open(folder + "/told", "a", encoding="utf-8") as out:
        out.write(json.dumps(entry) + "\n")


class Letters:
    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell({
            "to": envelope.rcpt_tos,
            "from": envelope.mail_from,
            "tls": session.ssl is not None,
            "user": (session.auth_data or b"").decode(),
            "subject": letter["Subject"],
            "id": letter["Message-ID"],
            "defects": [str(d) for d in letter.defects],
            "body": letter.get_content(),
        })
        return "250 2.0.0 queued"


def login(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"me" and data.password == b"geheim-7"
    return AuthResult(success=good, handled=good, auth_data=data.login if good else None)


class Requests(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        good = self.headers.get("Authorization") == "Bearer hook-sim"
        if good:
            tell({"path": self.path, "json": json.loads(body)})
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
tls = Controller(Letters(), hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
                 auth_required=True, authenticator=login)
# A port of the system's choice: aiosmtpd wants to know it to greet itself, so it is found first.
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    tls.port = probe.getsockname()[1]
tls.start()
web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Requests)
with open(folder + "/ports.new", "w", encoding="utf-8") as out:
    out.write(f"{tls.port} {web.server_address[1]}\n")
os.rename(folder + "/ports.new", folder + "/ports")
web.serve_forever()
