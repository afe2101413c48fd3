"""What all measurements share: spreads, processes' own accounts, ports, certificates, and what machine it was."""
import json, os, platform, resource, shutil, socket, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")
# Of the clocks that Linux has for each process: what it ran, by the scheduler's account (clock_getcpuclockid).
SCHEDULED = 2


class Unavailable(Exception):
    """A rival or a tool cannot be had here; the text says why, and what to do."""


def say(what):
    print(f"{time.strftime('%H:%M:%S')} ... {what}", file=sys.stderr, flush=True)


def spread(values):
    """Median, least and most; None for no values."""
    values = [v for v in values if v is not None]
    return {"median": statistics.median(values), "min": min(values), "max": max(values)} if values else None


def show(figure, form="{:,.0f}"):
    if figure is None:
        return "-"
    return f"{form.format(figure['median'])} ({form.format(figure['min'])}-{form.format(figure['max'])})"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def cpu_of(pid):
    """Seconds of a process in user and system, its ended threads included."""
    return time.clock_gettime(~pid << 3 | SCHEDULED)


def resident(pid, key="VmHWM"):
    """MiB: `VmHWM` at most since its start, `VmRSS` now."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith(key))


def transferred(pid):
    """Bytes that a process has had read from a disk and written to one; what a cache already had was not read."""
    with open(f"/proc/{pid}/io") as f:
        fields = dict(line.split(": ") for line in f.read().splitlines())
    return int(fields["read_bytes"]), int(fields["write_bytes"])


def read_json(path):
    """What a file holds; empty where it is not there or half written."""
    try:
        with open(path) as f:
            return json.load(f)
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


class Noise:
    """What other processes took of the machine meanwhile, in cores: the figure to look at before believing another.

    From the ticks of the whole machine less those of our children that have ended; right to a tenth or so.
    """

    def __init__(self):
        self.begun, self.busy, self.own = time.monotonic(), self._busy(), self._own()

    def cores(self):
        seconds = time.monotonic() - self.begun
        return max(0.0, (self._busy() - self.busy - (self._own() - self.own)) / max(seconds, 0.1))

    @staticmethod
    def _busy():
        with open("/proc/stat") as f:
            user, nice, system, _, _, irq, softirq, steal = (int(v) / TICK for v in f.readline().split()[1:9])
        return user + nice + system + irq + softirq + steal

    @staticmethod
    def _own():
        children, own = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
        return children.ru_utime + children.ru_stime + own.ru_utime + own.ru_stime


def output_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def machine(bin_directory):
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) // 1024
    file_system = output_of("stat", "-f", "-c", "%T", os.environ.get("TMPDIR", "/tmp"))
    version = output_of(os.path.join(bin_directory, "relayctl"), "--version") or "unknown"
    return {
        "cpu": model, "cores": os.cpu_count(), "memoryMiB": memory, "kernel": platform.release(), "fileSystem": file_system,
        "when": time.strftime("%Y-%m-%d"), "gridrelay": version,
        "commit": output_of("git", "-C", HERE, "describe", "--always", "--dirty", "--exclude", "*") or "unknown",
        "openssl": (output_of("openssl", "version") or "unknown").split(" (")[0],
        "swift": (output_of("swift", "--version") or "unknown").splitlines()[0],
        "cc": (output_of("cc", "--version") or "unknown").splitlines()[0]}


def compile_c(source, output, *libraries):
    """Builds a program of one file where it is missing or older than its source."""
    if os.path.exists(output) and os.path.getmtime(output) >= os.path.getmtime(source):
        return output
    if not shutil.which("cc"):
        raise Unavailable("there is no C compiler: apt-get install gcc libc6-dev")
    os.makedirs(os.path.dirname(output), exist_ok=True)
    done = subprocess.run(["cc", "-O2", "-Wall", "-Wextra", source, "-o", output, *libraries],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Unavailable(f"{source} does not compile:\n{done.stdout}")
    return output


def certificates(directory):
    """An authority and one certificate for 127.0.0.1 that all processes of a rival show each other."""
    if os.path.exists(os.path.join(directory, "node.pem")):
        return directory
    os.makedirs(directory, exist_ok=True)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    with open(os.path.join(directory, "extensions"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n")
    for command in (
            ["req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=gridrelay-bench"],
            ["req", *new_key, "-keyout", "node.key", "-out", "node.csr", "-subj", "/CN=localhost"],
            ["x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
             "-extfile", "extensions", "-out", "node.pem"]):
        done = subprocess.run(["openssl", *command], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Unavailable(f"openssl {command[0]} ended with {done.returncode}: {done.stdout}")
    return directory
