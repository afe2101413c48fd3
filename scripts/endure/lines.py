"""Numbered lines, and the judge who tells distinct, repeated, missing, misplaced and foreign ones.

A line tells which one it is and proves it by a checksum over name, number and seed, so that no other line passes for
it. The judge reads what a sink has written and nothing else: no count that a killed process held in memory.
"""
import zlib

_FILLER = "grid relay " * 2
# Lines of all but the name have one length, so that the size of a file tells how many it has.
_FIXED = len(" 00000000 00000000 \n") + len(_FILLER)


class Lines:
    """The lines of one job."""

    def __init__(self, name, count, seed):
        if count > 99_999_999:
            raise ValueError("a line's number has eight digits")
        self.name, self.count, self.seed = name, count, seed
        self.length = len(name) + _FIXED

    def line(self, number):
        check = zlib.crc32(f"{self.name} {number} {self.seed}".encode())
        return f"{self.name} {number:08d} {check:08x} {_FILLER}\n".encode()

    def text(self, first, end):
        return b"".join(self.line(number) for number in range(first, end))

    def number(self, line):
        """The number of a line of these; None where it is none of them."""
        start = len(self.name) + 1
        digits = line[start:start + 8]
        if not digits.isdigit():
            return None
        number = int(digits)
        return number if number < self.count and line == self.line(number) else None


class Verdict:
    def __init__(self, name, count):
        self.name, self.count = name, count
        self.distinct = self.repeated = self.misplaced = self.foreign = 0
        self.examples = []

    @property
    def missing(self):
        return self.count - self.distinct

    @property
    def is_good(self):
        return not (self.missing or self.repeated or self.misplaced or self.foreign)

    def note(self, what, place):
        if len(self.examples) < 10:
            self.examples.append(f"{what} in line {place + 1}")

    def __str__(self):
        text = (f"{self.name}: {self.count:,} sent, {self.distinct:,} arrived, {self.missing:,} missing, "
                f"{self.repeated:,} repeated, {self.misplaced:,} out of order, {self.foreign:,} foreign")
        return text + "".join(f"\n    {example}" for example in self.examples)


def judge(lines, arrived):
    """Looks at every line of `arrived`, an iterable of lines with their ends."""
    verdict = Verdict(lines.name, lines.count)
    seen = bytearray(lines.count)
    highest = -1
    for place, line in enumerate(arrived):
        number = lines.number(line)
        if number is None:
            verdict.foreign += 1
            verdict.note(f"not one of ours: {line[:60]!r}", place)
        elif seen[number]:
            verdict.repeated += 1
            verdict.note(f"{number} once more", place)
        else:
            seen[number] = 1
            verdict.distinct += 1
            if number < highest:
                verdict.misplaced += 1
                verdict.note(f"{number} after {highest}", place)
            highest = max(highest, number)
    first = seen.find(0)
    if first >= 0:
        verdict.examples.append(f"the first missing is {first}")
    return verdict


# What may go wrong at a sink, done to a file on purpose: the judge must see each.
PLANTS = {
    "lose": lambda lines, at: lines[:at] + lines[at + 1:],
    "repeat": lambda lines, at: lines[:at] + [lines[at]] + lines[at:],
    "swap": lambda lines, at: lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2:],
    "alter": lambda lines, at: lines[:at] + [lines[at].replace(b"g", b"G", 1)] + lines[at + 1:],
    "tear": lambda lines, at: lines[:-1] + [lines[-1][:-1]],
}


def prove():
    """The judge on trial: it must pass what is right and see each thing that is wrong. Raises where it does not."""
    lines = Lines("trial", 100, 1)
    right = [lines.line(number) for number in range(100)]
    if not judge(lines, right).is_good:
        raise AssertionError("the judge complains about what is right")
    seen = {"lose": "missing", "repeat": "repeated", "swap": "misplaced", "alter": "foreign", "tear": "foreign"}
    for what, field in seen.items():
        for at in (0, 50, 98):
            if getattr(judge(lines, PLANTS[what](right, at)), field) == 0:
                raise AssertionError(f"the judge does not see '{what}' at {at}")
