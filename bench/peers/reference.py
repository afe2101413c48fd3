"""`reference/pipeline.c` as a contestant: the machine without a program's decisions."""
import json, os, subprocess

from common import HERE, certificates, compile_c


class Reference:
    name = "reference"

    def __init__(self, build_directory):
        self.program = compile_c(os.path.join(HERE, "reference", "pipeline.c"), os.path.join(build_directory, "pipeline"),
                                 "-lssl", "-lcrypto")
        self.certificates = certificates(os.path.join(build_directory, "certificates"))

    def version(self):
        return "bench/reference/pipeline.c"

    def cannot(self, case):
        return "the reference has no latency mode" if case.is_latency else None

    def run(self, case, count):
        done = subprocess.run([self.program, self.certificates, str(case.size), str(count)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"pipeline ended with {done.returncode}: {done.stderr}")
        figures = json.loads(done.stdout)
        return {key: figures[key] for key in ("records", "seconds", "recordsPerSecond", "megabytesPerSecond")} | {
            "relayCPUPerMillion": figures["relayCPU"] / count * 1e6}
