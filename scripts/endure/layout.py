"""A mesh as a scenario wants it, written as a topology file."""


class Layout:
    def __init__(self, **defaults):
        self.defaults = defaults
        self.nodes = {}
        self.links = []
        self.flows = []

    def relay(self, name, port, extra=()):
        """`extra`: more lines of YAML."""
        self.nodes[name] = {"role": "relay", "port": port, "jobs": [], "sinks": [], "extra": list(extra)}

    def agent(self, name, jobs=(), sinks=(), extra=()):
        """`jobs`, `sinks`: mappings in YAML's flow style; `extra`: more lines of YAML."""
        self.nodes[name] = {"role": "agent", "jobs": list(jobs), "sinks": list(sinks), "extra": list(extra)}

    def link(self, dialling, listening, cost=10, port=None):
        """`port`: where to dial, if not where `listening` listens."""
        way = "" if port is None else f", dial: {{host: 127.0.0.1, port: {port}}}"
        self.links.append(f"{{from: {dialling}, to: {listening}, cost: {cost}{way}}}")

    def flow(self, name, source, destination):
        self.flows.append(f"{{name: {name}, from: [{source}], to: [{destination}]}}")

    def is_relay(self, name):
        return self.nodes[name]["role"] == "relay"

    @property
    def text(self):
        lines = ["mesh: endurance", "defaults:"] + [f"  {key}: {value}" for key, value in self.defaults.items()]
        lines.append("zones:")
        for zone in dict.fromkeys(name.split("/")[0] for name in self.nodes):
            lines += [f"  {zone}:", "    nodes:"]
            for name, node in self.nodes.items():
                if name.split("/")[0] == zone:
                    lines += self._node(name.split("/")[1], node)
        return "\n".join(lines + self._list("links", self.links) + self._list("flows", self.flows)) + "\n"

    def _node(self, local, node):
        lines = [f"      {local}:", f"        role: {node['role']}"]
        if node["role"] == "relay":
            lines.append(f"        listen: [{{host: 127.0.0.1, port: {node['port']}}}]")
        lines += [f"        {line}" for line in node["extra"]]
        for key in ("jobs", "sinks"):
            if node[key]:
                lines += [f"        {key}:"] + [f"          - {entry}" for entry in node[key]]
        return lines

    @staticmethod
    def _list(key, entries):
        return [f"{key}:"] + [f"  - {entry}" for entry in entries] if entries else []
