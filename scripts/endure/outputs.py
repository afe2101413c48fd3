"""What a sink has written of one job's lines: where it is, how many there are, and what the judge says of them."""
import contextlib, os, sqlite3, time

from .lines import PLANTS, judge


class FileOutput:
    """Lines at the end of a file."""

    header = b""
    source_mode = "mode: lines"

    def __init__(self, lines, directory):
        self.lines = lines
        self.directory = os.path.join(directory, "output-" + lines.name)
        self.path = os.path.join(self.directory, lines.name + ".log")

    @property
    def sink(self):
        return f"{{kind: files, mode: append, directory: {self.directory}}}"

    @property
    def count(self):
        """About how many there are, by the size of the file."""
        try:
            return os.stat(self.path).st_size // self.lines.length
        except FileNotFoundError:
            return 0

    def judge(self):
        try:
            with open(self.path, "rb") as f:
                return judge(self.lines, f)
        except FileNotFoundError:
            return judge(self.lines, [])

    def plant(self, what):
        with open(self.path, "rb") as f:
            content = f.readlines()
        with open(self.path, "wb") as f:
            f.writelines(PLANTS[what](content, len(content) // 2))


class TableOutput:
    """Rows of a table of SQLite, in the order in which they were put in."""

    header = b"line\n"
    source_mode = "mode: csv"
    # Seconds between looks while a run lasts: each takes the table's lock for a moment.
    PATIENCE = 0.3

    def __init__(self, lines, directory):
        self.lines = lines
        self.path = os.path.join(directory, f"output-{lines.name}.db")
        self._seen, self._due = 0, 0.0

    @property
    def sink(self):
        return (f"{{kind: sql, connection: \"Driver=SQLite3;Database={self.path}\", table: arrived, create: true, "
                "write: insert}")

    @property
    def count(self):
        """How many there were at the last look."""
        if time.monotonic() >= self._due and os.path.exists(self.path):
            with contextlib.suppress(sqlite3.OperationalError), self._open("ro") as table:
                self._seen = table.execute("SELECT coalesce(max(rowid), 0) FROM arrived").fetchone()[0]
            self._due = time.monotonic() + self.PATIENCE
        return self._seen

    def judge(self):
        if not os.path.exists(self.path):
            return judge(self.lines, [])
        # For writing, since a transaction that a kill left half done is taken back by who opens the table next.
        with self._open("rw") as table:
            try:
                rows = table.execute("SELECT line FROM arrived ORDER BY rowid")
            except sqlite3.OperationalError:
                return judge(self.lines, [])
            return judge(self.lines, (f"{line}\n".encode() for line, in rows))

    def plant(self, what):
        with self._open("rw") as table:
            rows = [f"{line}\n".encode() for line, in table.execute("SELECT line FROM arrived ORDER BY rowid")]
            table.execute("DELETE FROM arrived")
            spoiled = PLANTS[what](rows, len(rows) // 2)
            table.executemany("INSERT INTO arrived (line) VALUES (?)", [(row.decode()[:-1],) for row in spoiled])
            table.commit()

    def _open(self, mode):
        return contextlib.closing(sqlite3.connect(f"file:{self.path}?mode={mode}", uri=True, timeout=5))


OUTPUTS = {"files": FileOutput, "sql": TableOutput}


def add_plant_option(parser):
    parser.add_argument("--plant", choices=sorted(PLANTS),
                        help="spoil what arrived before it is judged: the run must then fail")
