#!/usr/bin/env python3
"""Reads Tests/Vectors by docs/protocol.md alone and compares; ends with 1 where anything differs.

Shares no code with GridRelay, so that the format is proven from outside.
Needs the packages `cryptography` and `zstandard`.
"""

import hashlib
import hmac
import json
import pathlib
import struct
import sys
import zlib

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEADER = struct.Struct("<4B16s16s16sQQqI16sI")
BATCH_LIMIT = 16773120
BODY_LIMIT = 16777216
KINDS = {1: "data", 2: "receipt", 3: "expiry"}
CODECS = {0: "none", 1: "zlib", 2: "zstd"}
CONTENTS = {"data": "record batch", "receipt": "receipt", "expiry": "expiry notice"}


class Wrong(Exception):
    """The bytes are not what the document says."""


def require(holds, what):
    if not holds:
        raise Wrong(what)


def equal(found, expected, what):
    require(found == expected, f"{what}: found {found!r}, expected {expected!r}")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def node_id(name):
    return hashlib.sha256(name.encode()).digest()[:16]


# Header


def parse_header(data):
    require(len(data) >= 104, "a header has 104 bytes")
    equal(data[0], 1, "version")
    equal(struct.unpack("<I", data[100:104])[0], crc32c(data[:100]), "header checksum")
    values = HEADER.unpack(data[:100])
    names = "version kind lane flags source destination stream sequence floor created lifetime key bodyLength"
    header = dict(zip(names.split(), values))
    require(header["kind"] in KINDS, "unknown kind")
    require(header["lane"] in (0, 1, 2), "unknown lane")
    require(header["lifetime"] > 0 and header["sequence"] > 0, "lifetime and sequence are at least 1")
    require(header["floor"] <= header["sequence"], "floor above sequence")
    require(header["bodyLength"] <= BODY_LIMIT, "body above its limit")
    return header


# Record batch


class Scanner:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(count <= len(self.data) - self.at, "a length leads out of its record")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                require(value < 1 << 64 and (byte > 0 or shift == 7), "a number is spelt wrongly")
                return value

    def nullable(self):
        number = self.number()
        return None if number == 0 else self.take(number - 1)


def signed64(value):
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def parse_record(scanner, base):
    body = Scanner(scanner.take(scanner.number()))
    attributes, quality = body.byte(), body.byte()
    require(attributes in (0, 1), "unknown attributes of a record")
    zig = body.number()
    record = {
        "historical": attributes == 1,
        "quality": quality,
        "time": signed64(base + (zig >> 1 ^ -(zig & 1))),
        "key": body.nullable(),
        "value": body.nullable(),
    }
    record["headers"] = [
        {"name": body.take(body.number()).decode(), "value": body.nullable()} for _ in range(body.number())
    ]
    equal(body.at, len(body.data), "end of a record")
    return record


def parse_batch(data):
    scanner = Scanner(data)
    equal(scanner.take(4), b"GRB\x01", "magic and version of a batch")
    count, base, attributes, length = struct.unpack("<IqHB", scanner.take(15))
    equal(attributes, 0, "attributes of a batch")
    require(length > 0, "a topic has at least one byte")
    topic = scanner.take(length).decode()
    records = [parse_record(scanner, base) for _ in range(count)]
    equal(scanner.at, len(data), "end of a batch")
    return topic, records


def unpack(part):
    codec, length = struct.unpack("<BI", part[:5])
    require(codec in CODECS, "unknown codec")
    require(length <= BATCH_LIMIT, "declared length above its limit")
    data = part[5:]
    if codec == 1:
        data = zlib.decompress(data)
    elif codec == 2:
        data = zstandard.ZstdDecompressor().decompress(data, max_output_size=length)
    equal(len(data), length, "uncompressed length")
    return CODECS[codec], data


# Keys and sealing


def hkdf(secret, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def digest(record):
    words = [record["generation"], record["created"], record["notBefore"], record["softEnd"], record["hardEnd"]]
    creator = record["creator"].encode()
    data = b"gridrelay key record v1" + struct.pack("<Q4q", *words) + bytes([len(creator)]) + creator
    return hashlib.sha256(data + bytes.fromhex(record["keyRoot"]) + bytes.fromhex(record["codeRoot"])).digest()


def pair_secret(root, label, one, other):
    return hkdf(root, None, label + min(one, other) + max(one, other))


def stream_keys(record, source, destination, stream):
    pair_key = pair_secret(bytes.fromhex(record["keyRoot"]), b"gridrelay pair key v1", source, destination)
    pair_code = pair_secret(bytes.fromhex(record["codeRoot"]), b"gridrelay pair code v1", source, destination)
    names = source + destination + digest(record)
    traffic = hkdf(pair_key, stream, b"gridrelay traffic v1" + names)
    code = hkdf(pair_code, stream, b"gridrelay code v1" + names)
    digest_key = hkdf(pair_code, stream, b"gridrelay digest v1" + names)
    return pair_key, pair_code, traffic, code, digest_key


def structure_text(kind, version):
    code = {1: "security code 16", 2: "security code 16 by digest"}[version]
    return f"gridrelay {kind} v{version}: structure code 8, codec 1, uncompressed length 4, {CONTENTS[kind]}, {code}"


def structure_code(kind, version):
    return hashlib.sha256(structure_text(kind, version).encode()).digest()[:8]


def gmac(key, message):
    return AESGCM(key).encrypt(bytes(12), b"", message)


def security_code(version, code_key, digest_key, header, head, data):
    if version == 2 and len(data) >= 384:
        data = gmac(digest_key, data)
    return hmac.new(code_key, header + head + data, hashlib.sha256).digest()[:16]


def open_envelope(envelope, record):
    header = parse_header(envelope)
    equal(header["bodyLength"], len(envelope) - 104, "body length")
    equal(header["destination"], node_id(record["destination"]), "destination")
    equal(header["key"], digest(record)[:16], "key id")
    _, _, traffic, code, digest_key = stream_keys(record, header["source"], header["destination"], header["stream"])
    nonce = bytes(4) + struct.pack(">Q", header["sequence"])
    plain = AESGCM(traffic).decrypt(nonce, envelope[104:], envelope[:104])
    kind = KINDS[header["kind"]]
    version = {structure_code(kind, version): version for version in (1, 2)}.get(plain[:8])
    require(version is not None, "a structure code of this kind")
    expected = security_code(version, code, digest_key, envelope[:104], plain[:13], plain[13:-16])
    equal(plain[-16:], expected, "security code")
    codec, batch = unpack(plain[8:-16])
    return kind, version, codec, batch


# The vector files


def check_crc32c(vectors):
    for vector in vectors:
        equal(crc32c(bytes.fromhex(vector["bytes"])), vector["checksum"], "checksum")


def check_header(vectors):
    for vector in vectors:
        header = parse_header(bytes.fromhex(vector["bytes"]))
        for name, value in header.items():
            if name != "version":
                equal(value.hex() if isinstance(value, bytes) else value, vector[name], name)


def check_batch(vector):
    topic, records = parse_batch(bytes.fromhex(vector["bytes"]))
    equal(topic, vector["topic"], "topic")
    for record in vector["records"]:
        for holder in [record, *record["headers"]]:
            for name in ("key", "value"):
                if isinstance(holder.get(name), str):
                    holder[name] = bytes.fromhex(holder[name])
    equal(records, vector["records"], "records")


def check_compression(vectors):
    for vector in vectors:
        codec, plain = unpack(bytes.fromhex(vector["part"]))
        equal(codec, vector["codec"], "codec")
        equal(plain.hex(), vector["plain"], "uncompressed bytes")


def check_keys(vector):
    source, destination = node_id(vector["source"]), node_id(vector["destination"])
    equal(source.hex(), vector["sourceID"], "id of the source")
    equal(destination.hex(), vector["destinationID"], "id of the destination")
    equal(digest(vector).hex(), vector["digest"], "digest")
    keys = stream_keys(vector, source, destination, bytes.fromhex(vector["stream"]))
    for name, key in zip(("pairKey", "pairCode", "trafficKey", "codeKey", "digestKey"), keys):
        equal(key.hex(), vector[name], name)
    equal(len(vector["structures"]), 2 * len(KINDS), "structures")
    for structure in vector["structures"]:
        of = structure["kind"], structure["version"]
        equal(structure_text(*of), structure["text"], "structure text")
        equal(structure_code(*of).hex(), structure["code"], "structure code")


def check_envelope(vectors, record):
    for vector in vectors:
        envelope = bytes.fromhex(vector["envelope"])
        kind, version, codec, batch = open_envelope(envelope, record)
        expected = vector["kind"], vector["version"], vector["codec"], vector["batch"]
        equal((kind, version, codec, batch.hex()), expected, "opened envelope")
        if kind == "data":
            parse_batch(batch)
        for place in (105, len(envelope) - 1):
            changed = bytearray(envelope)
            changed[place] ^= 1
            try:
                open_envelope(bytes(changed), record)
            except InvalidTag:
                continue
            raise Wrong(f"a changed byte at {place} was not noticed")


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Vectors"
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    checks = {
        "crc32c": check_crc32c,
        "header": check_header,
        "batch": check_batch,
        "compression": check_compression,
        "keys": check_keys,
        "envelope": lambda vectors: check_envelope(vectors, files["keys"]),
    }
    failed = sorted(set(checks) ^ set(files))
    for name in failed:
        print(f"{name}: file or check is missing", file=sys.stderr)
    for name in sorted(set(checks) & set(files)):
        try:
            checks[name](files[name])
            print(f"{name}: ok")
        except (Wrong, InvalidTag, ValueError, KeyError, zlib.error, zstandard.ZstdError) as error:
            failed.append(name)
            print(f"{name}: {type(error).__name__} {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
