"""Nodes of a mesh as processes of this machine, in a directory of their own."""
import http.client, json, os, signal, socket, subprocess

from .progress import Failed


def free_ports(count):
    """Ports below those that the system hands out by itself, so that nobody dials out from one that is to be listened at."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        lowest = int(f.read().split()[0])
    highest = lowest if lowest > 16_384 else 32_768
    sockets = []
    # Two runs at once begin at different places.
    for port in range(highest - 1 - os.getpid() * 37 % 8000, 1024, -1):
        s = socket.socket()
        try:
            s.bind(("127.0.0.1", port))
            sockets.append(s)
        except OSError:
            s.close()
        if len(sockets) == count:
            break
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    if len(ports) < count:
        raise Failed("there are not enough free ports on 127.0.0.1")
    return ports


class AdminConnection(http.client.HTTPConnection):
    """To a node's admin socket."""

    def __init__(self, path, timeout):
        super().__init__("node", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Mesh:
    """Invariant: a process runs only while this object knows of it; `end` leaves none."""

    def __init__(self, directory, bin_directory):
        self.directory = directory
        self.bin = bin_directory
        # What the next start of a node runs.
        self.bin_of_next_start = lambda name: bin_directory
        self.layout = None
        self.processes = {}
        self.starts = {}

    def render(self, layout):
        self.layout = layout
        topology = os.path.join(self.directory, "mesh.yaml")
        with open(topology, "w") as f:
            f.write(layout.text)
        done = subprocess.run(
            [self.program("relayctl"), "config", "render", "--topology", topology, "--out", self.directory],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failed(f"relayctl config render ended with {done.returncode}:\n{done.stdout}")

    def program(self, name, directory=None):
        path = os.path.join(directory or self.bin, name)
        if not os.access(path, os.X_OK):
            raise Failed(f"{path} is missing; build it with: swift build -c release --product {name}")
        return path

    def home(self, name):
        return os.path.join(self.directory, name.replace("/", "-"))

    def store(self, name):
        return os.path.join(self.home(name), "store")

    def start(self, name):
        program = "relayd" if self.layout.is_relay(name) else "agentd"
        with open(self.home(name) + ".log", "a") as log:
            self.processes[name] = subprocess.Popen(
                [self.program(program, self.bin_of_next_start(name)), "--config", os.path.join(self.home(name), "node.yaml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home(name))
        self.starts[name] = self.starts.get(name, 0) + 1

    def start_all(self, but=()):
        for name in self.layout.nodes:
            if name not in self.processes and name not in but:
                self.start(name)

    def kill(self, name):
        """As a power cut would do to the process: no last words."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self, name, within=60):
        """Asks it to end, and waits until it has."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"{name} did not end within {within} s of SIGTERM:\n{self.tail(name)}")
        if code != 0:
            raise Failed(f"{name} was asked to end and did so with {code}:\n{self.tail(name)}")

    def check(self):
        """No node ends by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended by itself with {process.returncode}:\n{self.tail(name)}")

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
        for process in self.processes.values():
            process.wait()
        self.processes = {}

    def request(self, name, path, method="GET", body=None, timeout=5):
        """The status and body of a node's answer; None where it does not answer."""
        connection = AdminConnection(os.path.join(self.home(name), "admin.sock"), timeout)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def status(self, name):
        """The node's status; None where it does not answer."""
        answer = self.request(name, "/v1/status")
        return json.loads(answer[1]) if answer and answer[0] == 200 else None

    def is_ready(self, name):
        answer = self.request(name, "/readyz", timeout=1)
        return bool(answer) and answer[0] == 200

    def has_links(self, name):
        status = self.status(name)
        return bool(status) and all(link["state"] == "up" for link in status["links"])

    def memory(self, name):
        """Resident MiB of a node's process: now, and at most since its start."""
        with open(f"/proc/{self.processes[name].pid}/status") as f:
            fields = dict(line.split(":", 1) for line in f if line.startswith(("VmRSS", "VmHWM")))
        return tuple(int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))

    def tail(self, name, lines=15):
        try:
            with open(self.home(name) + ".log", errors="replace") as f:
                return f"--- {name}\n" + "".join(f.readlines()[-lines:])
        except OSError:
            return f"--- {name}: no log"

    @property
    def tails(self):
        return "\n".join(self.tail(name) for name in self.layout.nodes) if self.layout else ""
