"""Results as Markdown tables."""
from common import show

NAMES = {"gridrelay": "ours", "nats": "NATS", "nats-sync": "NATS, sync always", "reference": "reference"}


def comparisons(results):
    throughput = [c for c in results.values() if c["rate"] is None]
    latency = [c for c in results.values() if c["rate"] is not None]
    return "\n\n".join(filter(None, (
        throughput and _throughput(throughput), any(c["ratios"] for c in throughput) and _ratios(throughput),
        latency and _latency(latency), _skipped(results.values()))))


def _throughput(entries):
    lines = ["| records | who | records/s | MB/s | relays' CPU s per million | most RSS MiB, relay | others' cores |",
             "|---|---|---|---|---|---|---|"]
    for entry in entries:
        for name, c in entry["contestants"].items():
            rss = f"{c['relayRSS']['max']:.0f}" if c["relayRSS"] else "-"
            lines.append(
                f"| {entry['title']} | {NAMES[name]} | {show(c['recordsPerSecond'], _form(c['recordsPerSecond']))} | "
                f"{show(c['megabytesPerSecond'], '{:,.1f}')} | {show(c['relayCPUPerMillion'], _form(c['relayCPUPerMillion']))} | "
                f"{rss} | {_noise(c)} |")
    return "\n".join(lines)


def _ratios(entries):
    lines = ["| records | against | ratio of the rates, by pairs | ratio of the relays' CPU |", "|---|---|---|---|"]
    for entry in entries:
        for name, ratio in entry["ratios"].items():
            lines.append(f"| {entry['title']} | {NAMES[name]} | {show(ratio['recordsPerSecond'], '{:,.2f}')} | "
                         f"{show(ratio['relayCPUPerMillion'], '{:,.2f}')} |")
    return "\n".join(lines)


def _latency(entries):
    lines = ["| 1 KiB at 1,000/s, linger 0 | who | p50 us | p90 us | p99 us | p99.9 us | most us | others' cores |",
             "|---|---|---|---|---|---|---|---|"]
    for entry in entries:
        for name, c in entry["contestants"].items():
            cells = " | ".join(show(c["latency"][key]) for key in ("p50", "p90", "p99", "p99.9"))
            most = c["latency"]["most"]
            lines.append(f"| {entry['title']} | {NAMES[name]} | {cells} | {most['max']:,.0f} | {_noise(c)} |" if most
                         else f"| {entry['title']} | {NAMES[name]} | {cells} | - | {_noise(c)} |")
    return "\n".join(lines)


def _skipped(entries):
    lines = [f"- {entry['title']}: {NAMES[name]} has no figure: {reason.splitlines()[0]}"
             for entry in entries for name, reason in entry["skipped"].items() if not reason.startswith("the reference has")]
    lines += [f"- {entry['title']}: {c['failed']} of {len(c['runs'])} runs of {NAMES[name]} failed and are left out: "
              + next(run["failed"] for run in c["runs"] if "failed" in run).splitlines()[0]
              for entry in entries for name, c in entry["contestants"].items() if c["failed"]]
    return "\n".join(lines)


def _noise(contestant):
    return f"{max(run['otherCores'] for run in contestant['runs']):.1f}" if contestant["runs"] else "-"


def _form(figure):
    return "{:,.0f}" if figure and figure["median"] >= 100 else "{:,.2f}"
