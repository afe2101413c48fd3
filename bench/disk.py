"""The journal's write path beside what the same disk does: `bench journal` and fio by turns, as many bytes a synchronize."""
import json, os, shutil, statistics, subprocess, sys, tempfile

# Bytes of a record, records a commit: few and many waiting when a commit begins.
SHAPES = [(1024, 64), (1024, 1024), (65536, 1), (65536, 16)]
# What one run writes at most, and how often it synchronizes at most: a second or a few.
BYTES, COMMITS = 512 << 20, 2000
GOAL = 0.8


def measure(bench, reps, say):
    """One entry for each shape, with medians over `reps`."""
    if not shutil.which("fio"):
        sys.exit("the disk's case needs fio: run scripts/deps.sh, or as root: apt-get install fio")
    return [_shape(bench, record, group, reps, say) for record, group in SHAPES]


def _shape(bench, record, group, reps, say):
    commits = min(COMMITS, BYTES // (record * group))
    runs = []
    for _ in range(reps):
        say(f"disk {record} B x {group}")
        stays = _journal(bench, record, group, commits, "stays")
        fio = synchronized_writes(round(stays["writtenBytes"] / commits), commits)
        passes = _journal(bench, record, group, commits, "passes")
        # In the records' bytes, since here files are also made and filled with zeros.
        loss = stays["nanoseconds"] / passes["nanoseconds"]
        runs.append({
            "stays": _rate(stays), "fio": fio, "ratio": _rate(stays) / fio, "ratioPasses": _rate(stays) / fio * loss,
            "bytesPerSynchronize": stays["writtenBytes"] / stays["synchronizes"],
            "synchronizesPerCommit": stays["synchronizes"] / commits})
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return {"record": record, "group": group, "commits": commits, "runs": runs, **middle}


def _rate(figures):
    """MB/s of all bytes that were written, frames too."""
    return figures["writtenBytes"] / figures["nanoseconds"] * 1e3


def _journal(bench, record, group, commits, mode):
    directory = tempfile.mkdtemp(prefix="gridrelay-disk-", dir=".build")
    try:
        done = subprocess.run(
            [bench, "journal", os.path.join(directory, "journal"), str(record), str(group), str(commits), mode],
            stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"bench journal ended with {done.returncode}: {done.stdout}")
        return json.loads(done.stdout)
    finally:
        shutil.rmtree(directory)


def synchronized_writes(block, count):
    """MB/s of as many sequential writes, each made durable, over a file that has its bytes already, as segments have."""
    directory = tempfile.mkdtemp(prefix="gridrelay-disk-", dir=".build")
    try:
        path = os.path.join(directory, "file")
        with open(path, "wb") as f:
            zeros, left = bytes(1 << 20), block * count
            while left:
                left -= f.write(zeros[:min(left, len(zeros))])
            os.fsync(f.fileno())
        done = subprocess.run(
            ["fio", "--name=append", f"--filename={path}", "--rw=write", f"--bs={block}", f"--size={block * count}",
             "--ioengine=psync", "--fdatasync=1", "--overwrite=1", "--invalidate=0", "--output-format=json"],
            stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"fio ended with {done.returncode}: {done.stdout}")
        job = json.loads(done.stdout)["jobs"][0]["write"]
        if job["total_ios"] != count:
            sys.exit(f"fio wrote {job['total_ios']} times, not {count}")
        return job["io_bytes"] / job["runtime"] / 1e3
    finally:
        shutil.rmtree(directory)


def table(entries):
    lines = [
        "| record | records a commit | bytes a synchronize | journal MB/s | fio MB/s | ratio | goal 0.8 | ratio with releases |",
        "|---|---|---|---|---|---|---|---|"]
    for e in entries:
        spread = f"{min(r['ratio'] for r in e['runs']):.2f}-{max(r['ratio'] for r in e['runs']):.2f}"
        lines.append(
            f"| {e['record']:,} B | {e['group']:,} | {e['bytesPerSynchronize']:,.0f} | {e['stays']:,.1f} | {e['fio']:,.1f} | "
            f"{e['ratio']:.2f} ({spread}) | {'yes' if e['ratio'] >= GOAL else 'no'} | {e['ratioPasses']:.2f} |")
    return "\n".join(lines)
