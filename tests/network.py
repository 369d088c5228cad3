"""Runs the deployed binary in a network of its own and holds it to what the C library decides: names, threads, memory, certificates.

A static function brings its own C library, musl, in the place of the system's. What that could spoil:

    names       musl asks all name servers at once and waits for A and AAAA; it reads resolv.conf by itself, and no nsswitch.conf. An answer
                too long for UDP, a chain of names, a search domain, a name server that is slow, broken or dead may end otherwise than by glibc.
    addresses   musl sorts them by its own table. One that refuses or never answers, of either family, must not hide one that works.
    the start   a look-up is a thread that nobody can stop: it must hold up neither the start, nor an answer, nor the end of the process.
    proxies     they are found by name, too, and what they reach is not: the function may not know the services' names at all.
    TLS         certificate authorities come from a file that is named, and never from where the system keeps its own.
    threads     64 events at once share one thread, and each look-up has its own.
    memory      musl's allocator must give back what an event took. glibc kept 150 bytes of each.
    Lambda      AWS_LAMBDA_RUNTIME_API may be a name.

The network is a namespace of this script's own, in which it is root. Each function has an /etc/resolv.conf and /etc/hosts of its own. The
name servers, the proxies, the TLS and Lambda's Runtime API are here, Cases is the emulator of this repository.

    tests/network.py BINARY [PART OF A STEP'S TITLE]

BINARY may be built for glibc, where the function cannot be static. What the two do otherwise is in MUSL and GLIBC below; and how much memory an
event leaves behind is held against nothing but musl.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import platform
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import elf

REPOSITORY = Path(__file__).resolve().parent.parent
DOMAIN_ID = json.loads((REPOSITORY / "domain.json").read_text())["domain"]["domainId"]

# Where the services are: at this port of addresses of their own.
PORT = 8080
TLS_PORT = 8443
HERE = "127.0.1.1"
HERE_6 = "2001:db8::1"
# Addresses of the machine where nothing listens.
REFUSING = "127.0.1.9"
REFUSING_6 = "2001:db8::9"
# Those of which no answer ever comes.
SILENT = "127.0.1.8"
SILENT_6 = "2001:db8::8"
# There is no way to it.
UNREACHABLE_6 = "2001:db8:1::1"

# Name servers, each by its manner.
LIVE, DEAD, NOBODY, BROKEN, SECOND, THREE_SECONDS, NO_AAAA, BROKEN_AAAA = (f"127.0.2.{number}" for number in range(1, 9))

# The start waits so long for its connections (src/call/warm_up.rs), a flow for its answer (CASEBRIDGE_FLOW_BUDGET_MS). What is above is
# for a machine that has other things to do.
PATIENCE = 0.5
BUDGET = 2.5
SLACK = 1.0

A, CNAME, AAAA = 1, 5, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3

NAMES = {
    "cases.test": [(A, HERE)],
    "first-refuses.test": [(A, REFUSING), (A, HERE)],
    "first-is-silent.test": [(A, SILENT), (A, HERE)],
    "first-is-always-silent.test": [(A, SILENT), (A, HERE)],
    "refuses-6.test": [(AAAA, REFUSING_6), (A, HERE)],
    "silent-6.test": [(AAAA, SILENT_6), (A, HERE)],
    "unreachable-6.test": [(AAAA, UNREACHABLE_6), (A, HERE)],
    "alone-6.test": [(AAAA, HERE_6)],
    # Only the last of them listens, and it is not among those that a short answer has room for.
    "thirty.test": [*((A, f"127.0.3.{number}") for number in range(1, 30)), (A, HERE)],
    "alias.test": [(CNAME, "a.alias.test")],
    "a.alias.test": [(CNAME, "b.alias.test")],
    "b.alias.test": [(CNAME, "a-name-that-is-rather-long-as-those-of-load-balancers-are.alias.test")],
    "a-name-that-is-rather-long-as-those-of-load-balancers-are.alias.test": [(A, HERE)],
    "cases.east.corp.test": [(A, HERE)],
    "fails-once.test": [(A, HERE)],
    "fails-for-long.test": [(A, HERE)],
    "proxy.test": [(A, "127.0.4.1")],
    "lambda.test": [(A, REFUSING), (A, "127.0.5.1")],
}
# A look-up that takes longer than a connection may (src/call.rs) ends as one that never ends.
SLOW = "HTTP connect timeout occurred after 1s"
# How many questions of a name go wrong before one is answered.
FAILING = {"fails-once.test": 1, "fails-for-long.test": 9}


class NameServer(asyncio.DatagramProtocol):
    """Knows NAMES, in the manner that it is told; over UDP no more than 512 bytes."""

    def __init__(self, address, delay=0.0, silent=False, fails=(), ignores=()):
        self.address, self.delay, self.silent, self.fails, self.ignores = address, delay, silent, fails, ignores
        self.names, self.failing = dict(NAMES), dict(FAILING)
        self.turning = {}  # how many questions are answered before the order of a name's addresses is turned round
        self.asked = []  # (name, type, over TCP)

    async def listen(self):
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, (self.address, 53))
        await asyncio.start_server(self.over_tcp, self.address, 53)
        return self

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, sender):
        asyncio.ensure_future(self.over_udp(data, sender))

    async def over_udp(self, query, sender):
        if (answer := await self.answer(query, False)) is None:
            return
        self.transport.sendto(answer, sender)

    async def over_tcp(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = await self.answer(await reader.readexactly(length), True)
                if answer is None:
                    continue
                writer.write(struct.pack("!H", len(answer)) + answer)
        writer.close()

    async def answer(self, query, over_tcp):
        end, labels = 12, []
        while length := query[end]:
            labels.append(query[end + 1 : end + 1 + length].decode().lower())
            end += 1 + length
        name = ".".join(labels)
        kind, _ = struct.unpack_from("!HH", query, end + 1)
        self.asked.append((name, kind, over_tcp))
        if self.silent or kind in self.ignores:
            return None
        await asyncio.sleep(self.delay)
        code, records = self.look_up(name, kind)
        return self.message(query[:2], query[12 : end + 5], code, records, None if over_tcp else 512)

    def look_up(self, name, kind):
        if kind in self.fails or self.failing.get(name, 0) > 0:
            self.failing[name] = self.failing.get(name, 0) - 1
            return SERVFAIL, []
        if kind == A and name in self.turning:
            self.turning[name] -= 1
            if self.turning[name] == -1:
                self.names[name] = self.names[name][::-1]
        records = []
        while known := self.names.get(name):
            if known[0][0] != CNAME:
                return NOERROR, records + [(name, *record) for record in known if record[0] == kind]
            records.append((name, *known[0]))
            name = known[0][1]
        return NXDOMAIN, records

    @staticmethod
    def message(identity, question, code, records, limit):
        body, count, truncated = question, 0, 0
        for name, kind, value in records:
            data = encoded(value) if kind == CNAME else socket.inet_pton(socket.AF_INET if kind == A else socket.AF_INET6, value)
            record = encoded(name) + struct.pack("!HHIH", kind, 1, 5, len(data)) + data
            if limit and 12 + len(body) + len(record) > limit:
                truncated = 0x0200
                break
            body, count = body + record, count + 1
        return identity + struct.pack("!HHHHH", 0x8180 | truncated | code, 1, count, 0, 0) + body


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


async def pipe(reader, writer, before=None):
    with contextlib.suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
        while data := await reader.read(65_536):
            if before:
                await before()
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(ConnectionError, RuntimeError):
        writer.close()


class Front:
    """A way to the emulator, at an address of its own; with a delay, every answer is so late."""

    def __init__(self, emulator, delay=0.0):
        self.emulator, self.delay, self.writers, self.connections = emulator, delay, set(), 0

    async def listen(self, address, port=PORT, tls=None):
        self.server = await asyncio.start_server(self.accept, address, port, ssl=tls, backlog=512)
        return self

    async def accept(self, reader, writer):
        self.connections += 1
        self.writers.add(writer)
        behind, to_emulator = await asyncio.open_connection(*self.emulator)
        before = (lambda: asyncio.sleep(self.delay)) if self.delay else None
        await asyncio.gather(pipe(reader, to_emulator), pipe(behind, writer, before))
        self.writers.discard(writer)

    def end(self):
        """As a machine that is taken away."""
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()


class Proxy:
    """Takes CONNECT alone, knows names that nobody else does, and asks for a password if it has one."""

    def __init__(self, password=None):
        self.password, self.asked, self.refused = password, [], 0

    async def listen(self, address, port):
        await asyncio.start_server(self.accept, address, port)
        return self

    async def accept(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        method, target, _ = head.split(" ", 2)
        said = re.search(r"(?mi)^proxy-authorization: basic (\S+)\r$", head)
        said = base64.b64decode(said.group(1)).decode() if said else None
        if method != "CONNECT" or said != self.password:
            self.refused += 1
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            writer.close()
            return
        self.asked.append(target)
        behind, onward = await asyncio.open_connection(HERE, TLS_PORT)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pipe(reader, onward), pipe(behind, writer))


class Connection(asyncio.Protocol):
    """HTTP, as far as a function and what it speaks to need it: each request has its length."""

    def __init__(self, take):
        self.take_request, self.received = take, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, rest = self.received.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            length = int(length.group(1)) if length else 0
            if len(rest) < length:
                return
            self.received = rest[length:]
            method, path, _ = head.decode().split(" ", 2)
            self.take_request(self, method, path, rest[:length])

    def connection_lost(self, _):
        self.lost = True

    def send(self, status, body, headers=b""):
        self.transport.write(b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, headers, len(body), body))


class Canned:
    """Services that have one answer for each call: no profile, and a case."""

    async def listen(self, address):
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: Connection(self.answer), address, PORT)

    @staticmethod
    def answer(connection, method, path, _):
        if method == "HEAD":
            connection.transport.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n")
        elif "/profiles/search" in path:
            connection.send(b"200 OK", b'{"Items":[]}', b"content-type: application/json\r\n")
        else:
            case = "1b2c3d4e-0000-4000-8000-000000000001"
            body = {"caseId": case, "caseArn": f"arn:aws:cases:us-east-1:111122223333:domain/{DOMAIN_ID}/case/{case}"}
            connection.send(b"200 OK", json.dumps(body).encode(), b"content-type: application/json\r\n")


class RuntimeApi:
    """Lambda's side: a queue of events, each for one of those that ask."""

    def __init__(self):
        self.events, self.waiting, self.answers, self.numbers = [], [], {}, itertools.count(1)
        self.asked = asyncio.Event()  # the function is ready

    async def listen(self, address="127.0.0.1"):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Connection(self.take), address, 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def invoke(self, payload, timeout):
        """What the function says of an event."""
        identity = f"00000000-0000-4000-8000-{next(self.numbers):012x}"
        answer = self.answers[identity] = asyncio.get_running_loop().create_future()
        self.events.append((identity, payload, timeout))
        self.hand_out()
        return json.loads(await answer)

    def hand_out(self):
        while self.events and self.waiting:
            if hasattr(self.waiting[0], "lost"):
                self.waiting.pop(0)
                continue
            identity, payload, timeout = self.events.pop(0)
            deadline = int((time.time() + timeout) * 1000)
            self.waiting.pop(0).send(
                b"200 OK",
                payload,
                f"lambda-runtime-aws-request-id: {identity}\r\nlambda-runtime-deadline-ms: {deadline}\r\n"
                "lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:111122223333:function:casebridge\r\n".encode(),
            )


    def take(self, connection, _, path, body):
        match path.strip("/").split("/"):
            case [_, _, "invocation", "next"]:
                self.asked.set()
                self.waiting.append(connection)
                self.hand_out()
            case [_, _, "invocation", identity, "response" | "error"]:
                connection.send(b"202 Accepted", b"{}")
                answer = self.answers.pop(identity)
                if not answer.cancelled():
                    answer.set_result(body)
            case other:
                raise AssertionError(f"the function asks for {other}")


class Function:
    """The binary in an environment of its own, under a Runtime API of its own."""

    # In a mount namespace of its own: what is mounted in it goes with it.
    SCRIPT = """
        mount --bind "$1/resolv.conf" /etc/resolv.conf
        mount --bind "$1/hosts" /etc/hosts
        if [ -e /etc/nsswitch.conf ]; then mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf; fi
        exec "$2"
    """

    def __init__(self, network, resolv, at="cases.test", hosts="", api=None, **variables):
        self.network, self.api = network, api or RuntimeApi()
        self.folder = Path(tempfile.mkdtemp(dir=network.folder))
        # A name server, or the whole of a file.
        (self.folder / "resolv.conf").write_text(resolv if "\n" in resolv else f"nameserver {resolv}\n")
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{hosts}\n")
        # Of files and name servers, as Lambda has it; glibc alone reads it.
        (self.folder / "nsswitch.conf").write_text("hosts: files dns\n")
        self.output = self.folder / "log"
        self.variables = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": at if "://" in at else f"http://{at}:{PORT}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "example",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_LAMBDA_FUNCTION_NAME": "casebridge",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "LAMBDA_TASK_ROOT": str(REPOSITORY),
            "CASES_DOMAIN_ID": DOMAIN_ID,
            "PROFILES_DOMAIN": "amazon-connect-example",
        } | variables

    async def __aenter__(self):
        if not hasattr(self.api, "server"):
            await self.api.listen()
        self.variables.setdefault("AWS_LAMBDA_RUNTIME_API", f"127.0.0.1:{self.api.port}")
        await self.run()
        ended = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({ended, asyncio.ensure_future(self.api.asked.wait())}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        self.took = time.monotonic() - self.since
        try:
            assert self.api.asked.is_set(), f"the function asks for no event: {self.log()}"
        except AssertionError:
            await self.__aexit__()
            raise
        return self

    async def run(self):
        self.since = time.monotonic()
        with self.output.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                "unshare", "--mount", "sh", "-e", "-c", self.SCRIPT, "sh", self.folder, self.network.binary,
                env=self.variables, stdout=log, stderr=log,
            )  # fmt: skip

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        self.api.server.close()
        log = self.log()
        assert "panicked" not in log, log
        assert "secret" not in log, f"a password is in the log: {log}"

    def log(self):
        return self.output.read_text()

    async def ends(self):
        """Runs a function that cannot start: how long it took, and what it said."""
        await self.api.listen()
        self.variables["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{self.api.port}"
        await self.run()
        try:
            async with asyncio.timeout(20):
                status = await self.process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.api.server.close()
        assert status == 1, f"it ended with {status}: {self.log()}"
        return time.monotonic() - self.since, self.log()

    async def invoke(self, payload, timeout):
        since = time.monotonic()
        async with asyncio.timeout(timeout + 5):
            answer = await self.api.invoke(payload, timeout)
        return answer, time.monotonic() - since

    async def flow(self):
        """A flow's event, which is of an order of its own; how it is answered, and after how long."""
        event = json.loads((REPOSITORY / "events" / "contact-flow-voice.json").read_text())
        event["Details"]["ContactData"]["Attributes"]["order number"] = f"F-{next(self.network.numbers)}"
        return await self.invoke(json.dumps(event).encode(), 8)

    async def event(self, timeout=5):
        return await self.invoke(self.network.order(), timeout)

    async def makes_a_case(self):
        """Both kinds of event have their case."""
        flow, took = await self.flow()
        assert flow.get("status") == "created", f"{flow} {self.log()}"
        assert took < BUDGET, f"the flow waited {took:.2f} s: {self.log()}"
        event, _ = await self.event()
        assert event.get("status") == "created", f"{event} {self.log()}"
        return took

    async def fails(self, why):
        """A flow is told why within its budget, and an event before its time is up; the log tells of the start."""
        assert "could not be reached within 500 ms at the start" in self.log(), self.log()
        flow, took = await self.flow()
        # Nothing was sent, so there is no doubt.
        assert flow.get("errorCode") == "ServiceUnavailable", f"{flow} {self.log()}"
        assert took < BUDGET + SLACK / 2, f"the flow waited {took:.2f} s"
        event, of_event = await self.event(timeout=4)
        assert event.get("errorType") == "ServiceUnavailable", f"{event} {self.log()}"
        assert of_event < 4 + SLACK / 4, f"the event was answered after {of_event:.2f} s, when its time was up"
        for answer in (flow, event):
            assert f"no connection to its service could be opened: {why}" in answer["errorMessage"], answer
        return f"after {took:.1f} s: {flow['errorMessage']}"

    def status(self):
        return Path(f"/proc/{self.process.pid}/status").read_text()

    async def starts_in_time(self):
        assert self.took < PATIENCE + SLACK, f"the start took {self.took:.2f} s: {self.log()}"


class Network:
    """The name servers, the addresses, and the emulator behind them."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.numbers = binary, folder, itertools.count(1)
        self.event = json.loads((REPOSITORY / "events" / "order-failed.json").read_text())
        # Names that are asked for under a static binary are asked for by musl.
        try:
            elf.expect_static(binary, "x86_64" if platform.machine() in ("x86_64", "AMD64") else "arm64")
            self.musl = True
        except AssertionError as reason:
            self.musl = False
            print(f"{reason}: what is said of musl is not asked of it")
        self.ipv6 = Path("/proc/sys/net/ipv6").exists()

    def order(self):
        """The failure of an order that no other event tells of."""
        self.event["detail"]["order"]["id"] = f"E-{next(self.numbers)}"
        return json.dumps(self.event).encode()

    async def __aenter__(self):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        if self.ipv6:
            for address in (HERE_6, REFUSING_6, SILENT_6):
                subprocess.run(["ip", "-6", "address", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)
        command = ["cargo", "run", "--locked", "--quiet", "--package", "cases-emulator", "--"]
        self.emulator = await asyncio.create_subprocess_exec(
            *command, "--domain", "domain.json", "--profiles", "profiles.json", "--port", "0",
            cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE, env=os.environ | {"CARGO_NET_OFFLINE": "true"},
        )  # fmt: skip
        line = (await self.emulator.stdout.readline()).decode()
        host, port = re.search(r"http://([\d.]+):(\d+)", line).groups()
        self.cases = (host, int(port))
        await Front(self.cases).listen([HERE, HERE_6] if self.ipv6 else HERE)
        self.servers = {
            LIVE: await NameServer(LIVE).listen(),
            DEAD: await NameServer(DEAD, silent=True).listen(),
            BROKEN: await NameServer(BROKEN, fails=(A, AAAA)).listen(),
            SECOND: await NameServer(SECOND, delay=1.5).listen(),
            THREE_SECONDS: await NameServer(THREE_SECONDS, delay=3.0).listen(),
            NO_AAAA: await NameServer(NO_AAAA, ignores=(AAAA,)).listen(),
            BROKEN_AAAA: await NameServer(BROKEN_AAAA, fails=(AAAA,)).listen(),
        }
        self.black_holes = [*black_hole(socket.AF_INET, SILENT), *(black_hole(socket.AF_INET6, SILENT_6) if self.ipv6 else [])]
        self.authority, self.other = Authority(self.folder / "ours"), Authority(self.folder / "theirs")
        await Front(self.cases).listen(HERE, TLS_PORT, self.authority.certificate("cases.test", "hidden.test"))
        return self

    async def __aexit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.emulator.send_signal(signal.SIGTERM)
        await self.emulator.wait()

    def start(self, *arguments, **variables):
        return Function(self, *arguments, **variables)

    def all_cases(self):
        """The ids of every case."""
        page, ids = {}, []
        while True:
            body = json.dumps({"maxResults": 100} | page).encode()
            host, port = self.cases
            url = f"http://{host}:{port}/domains/{DOMAIN_ID}/cases-search"
            request = urllib.request.Request(url, body, {"content-type": "application/json"}, method="POST")
            with urllib.request.urlopen(request, timeout=10) as response:
                found = json.load(response)
            ids += [case["caseId"] for case in found["cases"]]
            if not (token := found.get("nextToken")):
                return ids
            page = {"nextToken": token}


def black_hole(family, address):
    """An address that takes no connection and refuses none: its queue is full, and the system drops what comes on top."""
    listener = socket.socket(family)
    listener.bind((address, PORT))
    listener.listen(0)
    fill = []
    for _ in range(8):
        caller = socket.socket(family)
        caller.settimeout(0.3)
        fill.append(caller)
        if caller.connect_ex((address, PORT)) != 0:
            return [listener, *fill]
    raise AssertionError(f"{address} still takes connections")


class Authority:
    """A certificate authority of our own."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.bundle = folder, folder / "authority.pem"
        self.openssl("req", "-x509", *self.key("authority"), "-out", self.bundle, "-days", "2", "-subj", f"/CN=The authority of {folder.name}")

    def key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.folder / f"{name}.key"]

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def certificate(self, name, *more):
        """What a server of these names speaks TLS with."""
        request, made, extensions = (self.folder / f"{name}.{ending}" for ending in ("request", "pem", "extensions"))
        extensions.write_text(f"subjectAltName={','.join(f'DNS:{name}' for name in (name, *more))}\nextendedKeyUsage=serverAuth\n")
        self.openssl("req", "-new", *self.key(name), "-out", request, "-subj", f"/CN={name}")
        self.openssl(
            "x509", "-req", "-in", request, "-out", made, "-days", "2", "-extfile", extensions,
            "-CA", self.bundle, "-CAkey", self.folder / "authority.key", "-CAcreateserial",
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, self.folder / f"{name}.key")
        return context


# Names and addresses


def reaches(at, resolv=LIVE, ipv6=False, at_start=True, **settings):
    """A step: a service of this name is reached, by the start already, or by the flow that comes next."""

    async def step(network):
        async with network.start(resolv, at, **settings) as function:
            await function.starts_in_time()
            took = await function.makes_a_case()
            assert not at_start or "could not be reached" not in function.log(), function.log()
            return f"start {function.took * 1000:.0f} ms, flow {took * 1000:.0f} ms"

    step.ipv6 = ipv6
    return step


async def long_answer_comes_over_tcp(network):
    said = await reaches("thirty.test")(network)
    assert ("thirty.test", A, True) in network.servers[LIVE].asked, "nobody asked over TCP"
    return said


async def first_address_is_silent(network):
    """The name servers of AWS change the order with each answer, so a later attempt comes to another address."""
    server = network.servers[LIVE]
    server.turning["first-is-silent.test"] = 2
    async with network.start(LIVE, "first-is-silent.test") as function:
        await function.starts_in_time()
        assert "could not be reached within 500 ms at the start" in function.log(), function.log()
        took = await function.makes_a_case()
        return f"start {function.took * 1000:.0f} ms, flow {took * 1000:.0f} ms"


async def first_address_is_always_silent(network):
    """Nobody tries the second: what is sure is an answer in time."""
    async with network.start(LIVE, "first-is-always-silent.test") as function:
        await function.starts_in_time()
        return await function.fails(SLOW)


def fails(at, resolv, why):
    """A step: what cannot be reached holds up neither start nor answer."""

    async def step(network):
        async with network.start(resolv, at) as function:
            await function.starts_in_time()
            return await function.fails(why)

    return step


async def dead_name_servers(network):
    async with network.start(f"nameserver {DEAD}\nnameserver {NOBODY}\n") as function:
        await function.starts_in_time()
        said = await function.fails(SLOW)
        # Once the network is back, so is the function.
        (function.folder / "resolv.conf").write_text(f"nameserver {LIVE}\n")
        await function.makes_a_case()
        return said


async def service_that_comes_and_says_nothing(network):
    """What is told is the last of it: there is a connection by then."""
    network.servers[LIVE].names["late.test"] = [(A, "127.0.9.1")]
    async with network.start(LIVE, "late.test") as function:
        flow = asyncio.ensure_future(function.flow())
        await asyncio.sleep(0.4)
        await asyncio.start_server(lambda reader, writer: None, "127.0.9.1", PORT)
        answer, took = await flow
        assert "CreateCase did not answer in time" in answer.get("errorMessage", ""), f"{answer} {function.log()}"
        return f"{answer['errorCode']} after {took:.1f} s"


async def service_that_moves(network):
    """Its connections end, and its name leads to another address."""
    server, old = network.servers[LIVE], await Front(network.cases).listen("127.0.6.1")
    server.names["moving.test"] = [(A, "127.0.6.1")]
    async with network.start(LIVE, "moving.test") as function:
        await function.makes_a_case()
        new = await Front(network.cases).listen("127.0.6.2")
        server.names["moving.test"] = [(A, "127.0.6.2")]
        old.end()
        await function.makes_a_case()
        assert new.connections, "nobody came to the new address"


# The end of the process


def ends_at_once(saying, mapping=None, **variables):
    """A step: a start that cannot be ends at once, although no name server answers."""

    async def step(network):
        if mapping is not None:
            file = Path(tempfile.mkdtemp(dir=network.folder)) / "mapping.yaml"
            file.write_text(mapping)
            variables["CASEBRIDGE_MAPPING"] = str(file)
        took, log = await network.start(DEAD, **variables).ends()
        assert saying in log, log
        assert took < SLACK, f"the process ended after {took:.2f} s: {log}"
        return f"{took * 1000:.0f} ms"

    return step


# Proxies and certificates

SERVICES = f"https://cases.test:{TLS_PORT}"


async def own_authority(network):
    async with network.start(LIVE, SERVICES, AWS_CA_BUNDLE=str(network.authority.bundle)) as function:
        await function.makes_a_case()


def refused_tls(**what):
    """A step: TLS that proves nothing makes no case."""

    async def step(network):
        at, authority, bundle = (what.get(name) for name in ("at", "authority", "bundle"))
        variables = {"AWS_CA_BUNDLE": str(getattr(network, authority).bundle)} if authority else {}
        async with network.start(LIVE, at or SERVICES, **variables) as function:
            return await function.fails("invalid peer certificate")

    return step


# A name that no name server knows: the proxy does.
HIDDEN = f"https://hidden.test:{TLS_PORT}"


def proxied(host, port, password=None, says=None, at=HIDDEN, goes_past=False, **variables):
    """A step: services are reached through the proxy, whose name alone is looked up; or past it."""

    async def step(network):
        proxy = await Proxy(password).listen("127.0.4.1", port)
        says_so = f"{says or password}@" if says or password else ""
        url = f"http://{says_so}{host}:{port}"
        environment = {name: value.replace("URL", url) for name, value in (variables or {"HTTPS_PROXY": "URL"}).items()}
        async with network.start(LIVE, at, AWS_CA_BUNDLE=str(network.authority.bundle), **environment) as function:
            if says:
                said = await function.fails("tunnel error: proxy authorization required")
                assert proxy.refused, "the proxy refused nobody"
                return said
            await function.makes_a_case()
        assert goes_past != bool(proxy.asked), f"the proxy was asked for {proxy.asked}"
        asked = {name for name, _, _ in network.servers[LIVE].asked}
        assert "hidden.test" not in asked, "the function asked for a name that is the proxy's to know"
        return f"{len(proxy.asked)} connections through the proxy"

    return step


# Lambda


async def lambda_by_name(network):
    """Of the two addresses the first refuses."""
    api = await RuntimeApi().listen("127.0.5.1")
    async with network.start(LIVE, api=api, AWS_LAMBDA_RUNTIME_API=f"lambda.test:{api.port}") as function:
        await function.makes_a_case()


# Many events


async def sixty_four_events_at_once(network):
    """Against services that take 200 ms: an event makes two calls."""
    await Front(network.cases, delay=0.2).listen("127.0.7.1")
    network.servers[LIVE].names["slow-cases.test"] = [(A, "127.0.7.1")]
    before = set(network.all_cases())
    async with network.start(LIVE, "slow-cases.test", AWS_LAMBDA_MAX_CONCURRENCY="64") as function:
        since = time.monotonic()
        answers = await asyncio.gather(*(function.event(timeout=20) for _ in range(64)))
        took = time.monotonic() - since
        made = [answer.get("caseId") for answer, _ in answers]
        assert None not in made, [answer for answer, _ in answers if "caseId" not in answer][:3]
        assert len(set(made)) == 64, f"64 events share {len(set(made))} cases"
        assert set(network.all_cases()) - before == set(made), "the cases are not those of the answers"
        assert took < 5, f"64 events took {took:.1f} s, which is one after the other"
        threads = re.search(r"Threads:\s+(\d+)", function.status()).group(1)
        return f"{took:.1f} s, {threads} threads"


async def sixty_four_events_without_a_name(network):
    """Each look-up is a thread that lasts: they must not be in the way of the answers, or of what comes later."""
    async with network.start(DEAD, AWS_LAMBDA_MAX_CONCURRENCY="64") as function:
        await function.starts_in_time()
        answers = await asyncio.gather(*(function.event(timeout=4) for _ in range(64)))
        errors = {answer.get("errorType") for answer, _ in answers}
        assert errors == {"ServiceUnavailable"}, errors
        slowest = max(took for _, took in answers)
        assert slowest < 4 + SLACK / 4, f"an event was answered after {slowest:.2f} s, when its time was up"
        threads = re.search(r"Threads:\s+(\d+)", function.status()).group(1)
        (function.folder / "resolv.conf").write_text(f"nameserver {LIVE}\n")
        await function.makes_a_case()
        return f"{slowest:.1f} s, {threads} threads"


async def events_leave_nothing_behind(network):
    """Of 10,000 events in a row. The services answer what Cases and Customer Profiles answer, with nothing to remember."""
    await Canned().listen("127.0.8.1")
    network.servers[LIVE].names["canned.test"] = [(A, "127.0.8.1")]
    async with network.start(LIVE, "canned.test", AWS_LAMBDA_LOG_LEVEL="ERROR") as function:

        async def resident_after(count):
            for _ in range(count):
                answer, _ = await function.event()
                assert answer.get("status") == "created", f"{answer} {function.log()}"
            return int(re.search(r"VmRSS:\s+(\d+) kB", function.status()).group(1)) * 1024

        first, last = await resident_after(2_000), await resident_after(10_000)
        kept = (last - first) / 10_000
        said = f"{first / 2**20:.1f} MiB after 2,000 events, {last / 2**20:.1f} MiB after 12,000: {kept:.1f} bytes an event"
        assert kept < 20 or not network.musl, said
        return said


STEPS = {
    "one address": reaches("cases.test"),
    "the first address refuses": reaches("first-refuses.test"),
    "the first address is silent": first_address_is_silent,
    "IPv6 first, which refuses": reaches("refuses-6.test", ipv6=True),
    "IPv6 first, which is silent": reaches("silent-6.test", ipv6=True, at_start=False),
    "IPv6 first, to which there is no way": reaches("unreachable-6.test"),
    "IPv6 alone": reaches("alone-6.test", ipv6=True),
    "IPv6 by its address": reaches(f"[{HERE_6}]", DEAD, ipv6=True),
    "IPv4 by its address": reaches(HERE, DEAD),
    "30 addresses, by TCP": long_answer_comes_over_tcp,
    "a chain of aliases": reaches("alias.test"),
    "a name of /etc/hosts": reaches("shop.test", DEAD, hosts=f"# ours\n{HERE}\tother.test   shop.test"),
    "a search domain": reaches("cases", f"search north.corp.test east.corp.test\nnameserver {LIVE}\n"),
    "a search domain, with dots": reaches("cases.east", f"search north.test corp.test\nnameserver {LIVE}\noptions ndots:5\n"),
    "a full name, with search domains": reaches("cases.test", f"search a.corp.test b.corp.test\nnameserver {LIVE}\noptions ndots:5\n"),
    "options of glibc's": reaches("cases.test", f"options edns0 rotate trust-ad timeout:1 attempts:5\nnameserver {LIVE}\n"),
    # More often than one look-up bears.
    "SERVFAIL for long": reaches("fails-for-long.test", at_start=False),
    "a name server that is live, and one that is dead": reaches("cases.test", f"nameserver {LIVE}\nnameserver {DEAD}\n"),
    "a name server where none is, and one that is live": reaches("cases.test", f"nameserver {NOBODY}\nnameserver {LIVE}\n"),
    "a service that moves": service_that_moves,
    "Lambda by a name": lambda_by_name,
    "a mapping with a fault": ends_at_once("the function cannot start", mapping="version: 1\ncases: [oops]\n"),
    "a wrong configuration": ends_at_once("CASEBRIDGE_FLOW_BUDGET_MS takes", CASEBRIDGE_FLOW_BUDGET_MS="soon"),
    "a certificate authority of our own": own_authority,
    "a bundle that is not there": ends_at_once("AWS_CA_BUNDLE names /nowhere.pem, which cannot be read", AWS_CA_BUNDLE="/nowhere.pem"),
    "a bundle without a certificate": ends_at_once("which holds no certificate in PEM form", AWS_CA_BUNDLE="/etc/hosts"),
    "a proxy by its name": proxied("proxy.test", 3001),
    "a proxy by its address": proxied("127.0.4.1", 3002),
    "a proxy with a password": proxied("proxy.test", 3003, "shop:secret"),
    "a proxy for every protocol": proxied("proxy.test", 3005, ALL_PROXY="URL"),
    "a proxy of another protocol": proxied("proxy.test", 3006, at=SERVICES, goes_past=True, HTTP_PROXY="URL"),
    "a proxy that is not for these names": proxied(
        "proxy.test", 3007, at=SERVICES, goes_past=True, HTTPS_PROXY="URL", NO_PROXY="localhost,.test"
    ),
}
# They wait most of the time, and so side by side.
WAITING = {
    "the first address is always silent": first_address_is_always_silent,
    "NXDOMAIN": fails("unknown.test", LIVE, "failed to lookup address information"),
    "a name server of 1.5 s": fails("cases.test", SECOND, SLOW),
    "a name server of 3 s": fails("cases.test", THREE_SECONDS, SLOW),
    "a name server that never answers for IPv6": fails("cases.test", NO_AAAA, SLOW),
    "no name server is live, and then one is": dead_name_servers,
    "a service that comes and says nothing": service_that_comes_and_says_nothing,
    "another certificate authority": refused_tls(authority="other"),
    "AWS's certificate authorities alone": refused_tls(),
    "a certificate of another name": refused_tls(authority="authority", at=f"https://first-refuses.test:{TLS_PORT}"),
    "a proxy with another password": proxied("proxy.test", 3004, "shop:secret", says="shop:secrets"),
    "no name server is live for 64 events": sixty_four_events_without_a_name,
}
# By themselves.
MEASURED = {
    "64 events at once": sixty_four_events_at_once,
    "12,000 events": events_leave_nothing_behind,
}
# What the two C libraries do otherwise. musl asks all name servers at once; glibc one after the other, and waits five seconds for each.
MUSL = {
    "a name server that is dead, and one that is live": reaches("cases.test", f"nameserver {DEAD}\nnameserver {LIVE}\n"),
    "SERVFAIL at first": reaches("fails-once.test"),
    # It asks such a server thrice at once, and then waits for others. One that answers for A alone is broken, too.
    "SERVFAIL always": fails("cases.test", BROKEN, SLOW),
    "SERVFAIL for IPv6": fails("cases.test", BROKEN_AAAA, SLOW),
}
GLIBC = {
    "a name server that is dead, and one that is live": fails("cases.test", f"nameserver {DEAD}\nnameserver {LIVE}\n", SLOW),
    "SERVFAIL at first": reaches("fails-once.test", at_start=False),
    "SERVFAIL always": fails("cases.test", BROKEN, "failed to lookup address information"),
    "SERVFAIL for IPv6": reaches("cases.test", BROKEN_AAAA),
}


async def main(binary, wanted=""):
    failed = []

    async def run(title, step):
        if wanted not in title:
            return
        if getattr(step, "ipv6", False) and not network.ipv6:
            print(f"{title}: left out, the system has no IPv6")
            return
        since = time.monotonic()
        try:
            said = await step(network) or ""
        except Exception as error:
            failed.append(title)
            said = f"FAILED: {error!r}"
        print(f"{title}: {time.monotonic() - since:.1f} s  {said}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        async with Network(binary, Path(folder)) as network:
            for step in STEPS.items():
                await run(*step)
            await asyncio.gather(*(run(*step) for step in (WAITING | (MUSL if network.musl else GLIBC)).items()))
            for step in MEASURED.items():
                await run(*step)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    asyncio.run(main(str(Path(sys.argv[1]).resolve()), *sys.argv[2:]))
