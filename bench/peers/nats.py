"""NATS JetStream on the path that a mesh serves, as far as it goes:

    sender ── server a (stream on disk) ══ mutual TLS ══ server b (stream sourced from a's, on disk) ── taker

The servers are joined as leaf node and hub, each with a JetStream domain of its own: the link takes the stream over while it
stands and catches up when it was down. What ours does beyond: TLS on the outer hops, and sealing from end to end.
"""
import json, os, re, shutil, socket, subprocess, tempfile, time

from common import HERE, Unavailable, certificates, compile_c, cpu_of, free_ports, resident
from peers import debian

# Messages that the taker may leave unacknowledged: as the sender's bound, for the larger records by bytes.
PENDING, PENDING_BYTES = 20_000, 64 << 20
SILENT_SECONDS = 60


class Nats:
    def __init__(self, build_directory, sync_always=False):
        self.name = "nats-sync" if sync_always else "nats"
        self.sync_always = sync_always
        self.server = debian.nats_server(build_directory)
        debian.need("libnats-dev", os.path.exists("/usr/include/nats/nats.h"))
        self.client = compile_c(os.path.join(HERE, "peers", "nats_client.c"), os.path.join(build_directory, "nats_client"),
                                "-lnats", "-lpthread")
        self.certificates = certificates(os.path.join(build_directory, "certificates"))

    def version(self):
        return None if self.sync_always else f"nats-server {'.'.join(map(str, self.server.version))}"

    def cannot(self, case):
        if self.sync_always and self.server.version < (2, 10):
            return f"nats-server {'.'.join(map(str, self.server.version))} has no `sync_interval: always`, which came with 2.10"
        return None

    def run(self, case, count):
        pair = Pair(self, case)
        try:
            taker = pair.client("taker", "take", pair.ports["b"], count, SILENT_SECONDS)
            pair.await_line("taker", "ready", taker)
            idle = pair.cpu()
            sender = pair.client("sender", "send", pair.ports["a"], case.size, count, case.rival_window, case.rate or 0)
            pair.await_end("taker", taker)
            cpu = pair.cpu() - idle
            pair.await_end("sender", sender)
            figures = json.loads(pair.lines("taker")[-1])
            if figures["distinct"] != count or figures["strange"]:
                raise RuntimeError(f"NATS: {figures['distinct']} of {count} came, {figures['strange']} strange ones")
            seconds = max(figures["seconds"], 1e-6)
            return {
                "records": count, "seconds": seconds, "recordsPerSecond": (count - 1) / seconds,
                "megabytesPerSecond": (count - 1) * case.size / seconds / 1e6, "repeated": figures["repeated"],
                "relayCPUPerMillion": cpu / count * 1e6, "relayRSS": max(resident(p.pid) for p in pair.servers.values()),
                "latency": figures["latency"]}
        finally:
            pair.end()


class Pair:
    """Two servers with their streams, and the clients of one run, in a directory of their own."""

    def __init__(self, nats, case):
        self.nats = nats
        self.directory = tempfile.mkdtemp(prefix="gridrelay-bench-nats-")
        self.servers, self.clients = {}, []
        a, b, link = free_ports(3)
        self.ports = {"a": a, "b": b}
        try:
            # The one that listens first.
            self._start("b", f"listen: 127.0.0.1:{link}\n  {self._tls('verify: true')}")
            self._start("a", f"remotes: [{{\n    url: \"tls://127.0.0.1:{link}\"\n    {self._tls()}\n    {self._compression()}\n  }}]",
                        compression="")
            self._make_streams(case)
        except BaseException:
            self.end()
            raise

    def _tls(self, more=""):
        c = self.nats.certificates
        return f'tls {{ cert_file: "{c}/node.pem", key_file: "{c}/node.key", ca_file: "{c}/ca.pem", timeout: 5, {more} }}'

    def _compression(self):
        # On by default since 2.10, and slower on a link that is no bottleneck.
        return "compression: off" if self.nats.server.version >= (2, 10) else ""

    def _start(self, name, leaf, compression=None):
        sync = "sync_interval: always" if self.nats.sync_always else ""
        leaf += "\n  " + (self._compression() if compression is None else compression)
        path = os.path.join(self.directory, f"{name}.conf")
        with open(path, "w") as f:
            f.write(f"""
server_name: {name}
listen: 127.0.0.1:{self.ports[name]}
max_payload: 16MB
max_pending: 256MB
jetstream {{
  domain: {name}
  store_dir: "{self.directory}/{name}"
  max_file_store: 30GB
  {sync}
}}
leafnodes {{
  {leaf}
}}
""")
        with open(os.path.join(self.directory, f"{name}.log"), "w") as log:
            self.servers[name] = subprocess.Popen([self.nats.server.path, "-c", path], stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.servers[name].poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", self.ports[name]), 1).close()
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"nats-server {name} does not listen:\n{self._log(name)}")

    def _make_streams(self, case):
        stored = {"storage": "file", "retention": "limits", "num_replicas": 1}
        self._api("a", "STREAM.CREATE.ORIGIN", stored | {"name": "ORIGIN", "subjects": ["load"]})
        self._api("b", "STREAM.CREATE.COPY", stored | {
            "name": "COPY", "sources": [{"name": "ORIGIN", "external": {"api": "$JS.a.API"}}]})
        self._api("b", "CONSUMER.DURABLE.CREATE.COPY.taker", {"stream_name": "COPY", "config": {
            "durable_name": "taker", "deliver_subject": "deliveries", "deliver_policy": "all", "ack_policy": "explicit",
            "ack_wait": 30_000_000_000, "max_ack_pending": max(16, min(PENDING, PENDING_BYTES // case.size))}})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            source = (self._api("b", "STREAM.INFO.COPY").get("sources") or [{}])[0]
            if source.get("active", -1) >= 0 and not source.get("error"):
                return
            time.sleep(0.1)
        raise RuntimeError(f"the link between the NATS servers did not come up:\n{self._log('a')}\n{self._log('b')}")

    def _api(self, server, subject, body=None):
        deadline = time.monotonic() + 20
        while True:
            answer = request(self.ports[server], f"$JS.API.{subject}", body)
            if answer is not None and "error" not in answer:
                return answer
            # JetStream is up a little later than its port.
            if time.monotonic() > deadline:
                raise RuntimeError(f"NATS: {subject}: {answer and answer['error']}")
            time.sleep(0.2)

    def client(self, name, *words):
        with open(os.path.join(self.directory, f"{name}.out"), "w") as out:
            process = subprocess.Popen([self.nats.client, *map(str, words)], stdout=out, stderr=subprocess.STDOUT)
        self.clients.append(process)
        return process

    def lines(self, name):
        with open(os.path.join(self.directory, f"{name}.out")) as f:
            return f.read().splitlines()

    def await_line(self, name, line, process):
        deadline = time.monotonic() + 20
        while line not in self.lines(name):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"NATS {name}: " + " ".join(self.lines(name)))
            time.sleep(0.02)

    def await_end(self, name, process):
        # Both give up by themselves when nothing moves.
        while process.poll() is None:
            for server, running in self.servers.items():
                if running.poll() is not None:
                    raise RuntimeError(f"nats-server {server} ended with {running.returncode}:\n{self._log(server)}")
            time.sleep(0.02)
        if process.returncode != 0:
            raise RuntimeError(f"NATS {name} ended with {process.returncode}: " + " ".join(self.lines(name)[-2:]))

    def cpu(self):
        return sum(cpu_of(p.pid) for p in self.servers.values())

    def _log(self, name):
        with open(os.path.join(self.directory, f"{name}.log")) as f:
            return f.read()[-1500:]

    def end(self):
        for process in [*self.clients, *self.servers.values()]:
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def request(port, subject, body=None, timeout=5):
    """One question to a server in the protocol's own words; None where nobody answers."""
    payload = b"" if body is None else json.dumps(body).encode()
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(b'CONNECT {"verbose": false, "no_responders": true, "headers": true}\r\nSUB answer 1\r\n'
                  + f"PUB {subject} answer {len(payload)}\r\n".encode() + payload + b"\r\n")
        received = b""
        try:
            while True:
                piece = s.recv(65536)
                if not piece:
                    return None
                received += piece
                # No responders come as a message with headers only.
                if re.search(rb"^HMSG answer ", received, re.M):
                    return None
                message = re.search(rb"^MSG answer 1 (\d+)\r\n", received, re.M)
                if message and len(received) >= message.end() + int(message[1]):
                    return json.loads(received[message.end():message.end() + int(message[1])])
        except (TimeoutError, ConnectionError):
            return None
