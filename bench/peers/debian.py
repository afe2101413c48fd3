"""What rivals need, from Debian's packages: by apt where this is root, or with the command to run."""
import os, re, shutil, subprocess
from dataclasses import dataclass

from common import Unavailable, output_of, say


@dataclass(frozen=True)
class Server:
    path: str
    version: tuple


def need(package, is_there):
    """Installs a package that is missing."""
    if is_there:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", package]
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Unavailable(f"{package} is missing; as root: {' '.join(command)}")
    say(f"installing {package}")
    quiet = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    done = subprocess.run(command, **quiet)
    if done.returncode != 0:
        subprocess.run(["apt-get", "update"], **quiet)
        done = subprocess.run(command, **quiet)
    if done.returncode != 0:
        raise Unavailable(f"{package} could not be installed:\n{done.stdout[-1000:]}")


def nats_server(build_directory):
    """The newest of: what NATS_SERVER names, the installed one, one that was unpacked here before.

    Where none of them has 2.10, whose `sync_interval: always` is asked for, Debian 13's package is fetched and unpacked below
    the build directory, and nothing is installed. Where that cannot be had, the installed one has to do.
    """
    named = os.environ.get("NATS_SERVER")
    if named:
        return _server(named) or _missing(f"NATS_SERVER names {named}, which does not tell its version")
    unpacked = os.path.join(build_directory, "nats-server", "usr", "sbin", "nats-server")
    installed = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin")
    found = [s for s in (_server(unpacked), _server(installed)) if s]
    if not found or max(s.version for s in found) < (2, 10):
        _unpack(build_directory)
        found += [s for s in (_server(unpacked),) if s]
    if not found:
        need("nats-server", False)
        found += [s for s in (_server(shutil.which("nats-server") or "/usr/sbin/nats-server"),) if s]
    return max(found, key=lambda s: s.version) if found else _missing("nats-server could not be had")


def _missing(text):
    raise Unavailable(text)


def _server(path):
    version = path and os.access(path, os.X_OK) and output_of(path, "--version")
    numbers = version and re.search(r"(\d+)\.(\d+)\.(\d+)", version)
    return Server(path, tuple(map(int, numbers.groups()))) if numbers else None


def _unpack(build_directory):
    """Debian 13's nats-server, by apt with lists of its own, so that the system's sources stay as they are."""
    state = os.path.join(build_directory, "apt")
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb") or not os.path.exists(key):
        return
    # From where this machine has its own packages.
    mirrors = output_of("apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Created-By: Packages")
    if not mirrors:
        return say("this machine's apt names no mirror of Debian 12, so that of Debian 13 is not known")
    mirror = mirrors.split()[0]
    for directory in ("lists/partial", "cache/archives/partial", "parts"):
        os.makedirs(os.path.join(state, directory), exist_ok=True)
    with open(os.path.join(state, "trixie.sources"), "w") as f:
        f.write(f"Types: deb\nURIs: {mirror}\nSuites: trixie\nComponents: main\nSigned-By: {key}\n")
    apt = ["apt-get", "-o", f"Dir::Etc::SourceList={state}/trixie.sources", "-o", f"Dir::Etc::SourceParts={state}/parts",
           "-o", f"Dir::State::Lists={state}/lists", "-o", f"Dir::Cache={state}/cache", "-o", "APT::Sandbox::User=root"]
    say("fetching Debian 13's nats-server")
    for words in (["update"], ["download", "nats-server"]):
        done = subprocess.run([*apt, *words], cwd=state, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return say(f"it cannot be had: {done.stdout.strip().splitlines()[-1:]}")
    for package in os.listdir(state):
        if package.startswith("nats-server_") and package.endswith(".deb"):
            subprocess.run(["dpkg-deb", "-x", os.path.join(state, package), os.path.join(build_directory, "nats-server")], check=True)
