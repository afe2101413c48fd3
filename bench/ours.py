"""Our mesh as one of those that are compared: the programs and settings that are shipped."""
from mesh import RELAYS, Mesh, job_of


class Ours:
    name = "gridrelay"

    def __init__(self, bin_directory):
        self.bin = bin_directory

    def version(self):
        return None

    def cannot(self, case):
        """Why this contestant cannot do a case; None where it can."""
        return None

    def run(self, case, count):
        mesh = Mesh(self.bin, job_of(case, count), count, case.durability)
        try:
            idle = mesh.relay_cpu()
            mesh.begin()
            figures = mesh.wait(count)
            # Relays finish with custody and receipts after the last record; agents count nothing twice.
            if figures["duplicates"] or figures["missing"]:
                raise RuntimeError(f"{figures['duplicates']} repeated, {figures['missing']} missing")
            seconds = max(1, figures["lastTime"] - figures["firstTime"]) / 1000
            return {
                "records": count, "seconds": seconds, "recordsPerSecond": (count - 1) / seconds,
                "megabytesPerSecond": (count - 1) * case.size / seconds / 1e6, "envelopes": figures["deliveries"],
                "relayCPUPerMillion": (mesh.relay_cpu() - idle) / count * 1e6,
                "relayRSS": mesh.peak(*RELAYS), "agentRSS": mesh.peak("a-agent", "b-agent"),
                "latency": {key: figures[name] / 1000 for key, name in (
                    ("p50", "latencyP50"), ("p90", "latencyP90"), ("p99", "latencyP99"), ("p99.9", "latencyP999"),
                    ("most", "latencyMax"))}}
        finally:
            mesh.stop()
