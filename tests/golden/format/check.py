#!/usr/bin/env python3
"""Verifies an exported Vouchsafe folder: check.py DIR [VKEY]. Written from docs/format.md alone.
Standard library only; BLAKE3 (chain and object names) is checked if the module `blake3` is there."""
import base64, hashlib, importlib.util, json, os, pathlib, sys
blake3 = importlib.util.find_spec("blake3") and importlib.import_module("blake3").blake3
def need(held, fault):
    if not held: raise ValueError(fault)
def read(path): return pathlib.Path(path).read_bytes()
def sha256(*parts): return hashlib.sha256(b"".join(parts)).digest()
def unbase64(text): return base64.b64decode(text, validate=True)
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519 (RFC 8032), extended coordinates
D, I = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P
def times(n, p): return add(times(n >> 1, add(p, p)), p if n & 1 else (0, 1, 1, 0)) if n else (0, 1, 1, 0)
def same(p, q): return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0
def point(data):
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    roots = [x for root in [pow(square, (P + 3) // 8, P)] for x in (root, -root % P, root * I % P, -root * I % P)]
    x = [x for x in roots if (x * x - square) % P == 0 and x & 1 == data[31] >> 7][:1]
    need(y < P and x and not same(times(8, (x[0], y, 1, x[0] * y % P)), (0, 1, 1, 0)), "not a point of Ed25519")
    return x[0], y, 1, x[0] * y % P
BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
def signed(public, text, signature):
    s, k = (int.from_bytes(n, "little") for n in (signature[32:], hashlib.sha512(signature[:32] + public + text).digest()))
    return len(signature) == 64 and s < L and same(times(s, BASE), add(point(signature[:32]), times(k % L, point(public))))
def verifier_key(text):
    name, key_id, data = text.rstrip("\n").split("+", 2)
    right = sha256(name.encode(), b"\n", unbase64(data))[:4].hex() == key_id and len(unbase64(data)) == 33
    need(right and unbase64(data)[0] in (1, 4), "not an Ed25519 key under its name and id: " + text)
    return name, bytes.fromhex(key_id), unbase64(data)[1:]
def lines_by(note, key):  # Text, and the signatures under it that claim to be by `key`.
    text, lines = note[:note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:].split("\n")
    named = [unbase64(line.split(" ")[2]) for line in lines if line.split(" ")[:2] == ["—", key[0]]]
    return text, [line[4:] for line in named if line[:4] == key[1]]
def signed_note(note, *keys):  # The text, if the newest of `keys` that has a line under it signed it.
    for key in reversed(keys):
        text, lines = lines_by(note, key)
        if lines: return need(all(signed(key[2], text.encode(), line) for line in lines), "a signature is wrong") or text
    raise ValueError("not signed by the key of this log")
def checkpoint(note, keys, seen={}):  # Size and root, if one of `keys` signed the note.
    if (note, keys) not in seen:
        text = signed_note(note, *keys)
        need(text.split("\n")[0] == keys[0][0], "a checkpoint of another log")
        seen[note, keys] = int(text.split("\n")[1]), unbase64(text.split("\n")[2])
    return seen[note, keys]
def key_history(log, current):  # Every key that the log has had: each change is signed by the old and the new key.
    keys, number = [], 1
    while os.path.exists(f"{log}rotation/{number}"):
        note = read(f"{log}rotation/{number}").decode()
        header, old, new, _ = note[:note.rindex("\n\n") + 1].split("\n")
        old, new, number = verifier_key(old), verifier_key(new), number + 1
        need(signed_note(note, old) == signed_note(note, new), f"rotation/{number - 1}: not signed by both keys")
        need(header == "vouchsafe/key-rotation/v1" and keys[-1:] in ([], [old]), f"rotation/{number - 1}: does not follow")
        keys += [old, new] if not keys else [new]
    need(keys[-1:] in ([], [current]), "vkey: not the key that the log changed to last")
    return tuple(keys or [current])
def canonical(data):
    entry = json.loads(data, parse_float=int, parse_constant=int)  # int() refuses what is no integer
    again = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    right = again == data and len(data) <= 65535 and " ".join(entry) == "actor body kind objects path prev salt seq time v"
    need(right and entry["v"] == 1, "not an entry in canonical form")
    return entry
def index_path(index, width):
    return "".join(f"x{index // 1000**n % 1000:03}/" for n in range(6, 0, -1) if index >= 1000**n) + f"{index % 1000:03}" + (f".p/{width}" if width < 256 else "")
def pairs(row): return [sha256(b"\x01", *row[n:n + 2]) if n + 1 < len(row) else row[n] for n in range(0, len(row), 2)]
def root(row): return root(pairs(row)) if len(row) > 1 else row[0] if row else sha256()
def check_proof(file, keys, place):
    text, data = read(file).decode(), None
    if file.endswith(".json"): text, data = (lambda proof: (proof["proof"], proof["entry"].encode()))(json.loads(text))
    head, note = text.split("\n\n", 1)
    lines = [line for line in head.split("\n") if not line.startswith("extra ")]
    data = data or unbase64(head.split("\n")[1][len("extra "):])
    entry, (size, signed_root), result = canonical(data), checkpoint(note, keys), sha256(b"\x00", data)
    node, last, right = entry["seq"], size - 1, entry["path"] == place and entry["seq"] < size
    need(right and lines[:2] == ["c2sp.org/tlog-proof@v1", f"index {node}"], f"{file}: of another entry")
    for sibling in map(unbase64, lines[2:]):
        need(last, f"{file}: too long")
        left = node & 1 or node == last
        result = sha256(b"\x01", *((sibling, result) if left else (result, sibling)))
        while left and not node & 1 and node: node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    need(last == 0 and result == signed_root, f"{file}: the entry is not in the tree")
def check_log(bag, keys):
    log, last = bag + "/data/log/", {}  # For each file of the tree, the object that the log vouches for last.
    (size, signed_root), whole = checkpoint(read(log + "checkpoint").decode(), keys[-1:]), os.path.isdir(log + "tile/entries")
    entries, row = {}, []
    for first, width in ((first, min(256, size - first)) for first in range(0, size, 256)):
        name, at = index_path(first // 256, width), 0
        tile, bundle = read(log + "tile/0/" + name), read(log + "tile/entries/" + name) if whole else b""
        row += [tile[n:n + 32] for n in range(0, len(tile), 32)]
        for seq in range(first, first + width if whole else first):
            length = int.from_bytes(bundle[at:at + 2], "big")
            entries[seq], at = bundle[at + 2:at + 2 + length], at + 2 + length
        need(at == len(bundle) and len(tile) == width * 32, f"tile/0/{name} or tile/entries/{name}: wrong length")
    for file in pathlib.Path(log, "entries").glob("*.json"): entries[int(file.stem)] = read(file)
    for seq, data in sorted(entries.items()):
        need(seq < size and sha256(b"\x00", data) == row[seq], f"entry {seq}: another leaf hash than in the tile")
        entry, before = canonical(data), entries.get(seq - 1)
        need(entry["seq"] == seq and (seq or entry["prev"] == "0" * 64), f"entry {seq}: wrong seq or prev")
        chained = not (before and blake3) or blake3(before).hexdigest() == entry["prev"]
        need(chained and (not before or json.loads(before)["time"] <= entry["time"]), f"entry {seq}: broken chain or time")
        for thing in entry["objects"]:
            data, digest = read(f"{bag}/data/objects/{thing['blake3'][:2]}/{thing['blake3'][2:]}"), thing["blake3"]
            right = sha256(data).hex() == thing["sha256"] and (not blake3 or blake3(data).hexdigest() == digest)
            need(right and len(data) == thing["size"], f"entry {seq}, {entry['path']}/{thing['name']}: not what was filed")
            if entry["path"][:2] not in ("", "/_"): last[f"{bag}/data/tree{entry['path']}/{thing['name']}"] = thing
    told = [thing["sha256"] for entry in map(json.loads, (entries[seq] for seq in sorted(entries))) if entry["kind"] == "key.rotated" for thing in entry["objects"]]
    need(told == [sha256(read(f"{log}rotation/{n}")).hex() for n in range(1, len(keys))], "rotation: not the key changes that the log tells of")
    need(0 not in entries or verifier_key(json.loads(entries[0])["body"]["vkey"]) == keys[0], "vkey: the log began with another key")
    need(root(row) == signed_root, f"the root over {size} entries is not the signed one")
    if os.path.exists(log + "cosigned-checkpoint"):
        cosigned, its_root = checkpoint(read(log + "cosigned-checkpoint").decode(), keys)
        need(cosigned <= size and root(row[:cosigned]) == its_root, "cosigned-checkpoint: another root")
    for level in range(1, 8):
        row = [root(row[n:n + 256]) for n in range(0, len(row) - 255, 256)]
        for n in range(0, len(row), 256):
            path = f"tile/{level}/" + index_path(n // 256, min(256, len(row) - n))
            need(read(log + path) == b"".join(row[n:n + 256]), path + ": other hashes")
    for path, thing in last.items(): need(sha256(read(path)).hex() == thing["sha256"], path + ": not what was filed last")
    return f"{size} entries are signed, {len(entries)} were read", last
def check_bag(bag, keys, last):
    listed = set()
    for manifest in ["tagmanifest-sha256.txt", "manifest-sha256.txt"]:
        for line in read(f"{bag}/{manifest}").decode().split("\n")[:-1]:
            digest, name = line.split("  ", 1)
            name = name.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
            listed.add(name)
            right = ".." not in name.split("/") and sha256(read(f"{bag}/{name}")).hex() == digest
            need(right, f"{name}: not what {manifest} says")
            folder, _, file = name.rpartition("/")
            derived = file in ("history.json", "proof.json", "voucher.tlog-proof")
            if name.startswith("data/tree/") and name.count("/") == 7 and file in ("proof.json", "voucher.tlog-proof"):
                check_proof(f"{bag}/{name}", keys, folder[len("data/tree"):])
            known = f"{bag}/{name}" in last or derived and f"{bag}/{folder}/voucher.json" in last
            need(known or not name.startswith("data/tree/"), f"{name}: no entry vouches for it")
    for file in filter(os.path.isfile, map(str, pathlib.Path(bag, "data").rglob("*"))):
        need(os.path.relpath(file, bag) in listed, f"{file}: in no manifest")
def main(bag, *pinned):
    try:
        offered = read(bag + "/data/log/vkey").decode()
        keys = key_history(bag + "/data/log/", verifier_key(offered))
        need(not pinned or verifier_key(pinned[0]) in keys, "vkey: not the key that was given, nor one that came from it")
        told, last = check_log(bag, keys)
        print(told, "- BLAKE3", "checked" if blake3 else "NOT checked: no module blake3")
        check_bag(bag, keys, last)
    except (OSError, ValueError, KeyError, IndexError) as fault: sys.exit(f"NOT WELL: {fault}")
    print("all is well")
main(*sys.argv[1:]) if len(sys.argv) in (2, 3) else sys.exit(__doc__)
