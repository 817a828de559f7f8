"""Derives vectors/kt1.json, ranking.json and negative.json with big integers and hashlib alone.

``python tools/protection_vectors.py`` writes them; ``--check`` only compares. Neither implementation is asked: this is
a third one, in plain loops, written from the definitions, and it must itself reproduce the published answers below
before it writes anything.
"""

import argparse
import hashlib
import hmac
import itertools
import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "vectors"
EMPTY = b""
KT1_OUTPUTS = "2361a6902e897134c446c918ff0d7b546611048a1cbc870140075c436f724fc2"
KT1_RANKS_16 = "9133b1791f2836fc8acdfeb898dc248ac6818884e3aa666efc5bccd18bef5fa9"
KT1_RANKS_32 = "3c90c11e62ffcfebdb146d2ea12b4141d0b05fa9b8a555199033d3dfd3d91a9a"


def hkdf(token: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 as RFC 5869 writes it."""
    key = hmac.new(salt or bytes(32), token, hashlib.sha256).digest()
    block, out = b"", b""
    for index in itertools.count(1):
        if len(out) >= length:
            return out[:length]
        block = hmac.new(key, block + info + bytes([index]), hashlib.sha256).digest()
        out += block
    raise AssertionError


def stream(seed: str, length: int) -> bytes:
    """Bytes that look random: SHA-256 of the seed and a counter."""
    blocks = (hashlib.sha256(f"{seed}/{index}".encode()).digest() for index in range(-(-length // 32)))
    return b"".join(blocks)[:length]


def quantised(values: list[float]) -> list[int]:
    """floor(16384·x/|x| + 1/2), squares added in order."""
    total = 0.0
    for value in values:
        total += value * value
    return [math.floor(value / math.sqrt(total) * 16384 + 0.5) for value in values]


def kt1(values: list[float], token: bytes, salt: bytes, info: bytes, blocks: int) -> list[int]:
    """All 128·blocks outputs of the keyed transform."""
    start, outputs = quantised(values), []
    for block in range(blocks):
        material = hkdf(token, salt, info + bytes([block]), 1584)
        state = start
        for turn in range(3):
            part = material[528 * turn : 528 * (turn + 1)]
            state = [-value if part[i >> 3] >> (i & 7) & 1 else value for i, value in enumerate(state)]
            keys = struct.unpack("<128I", part[16:])
            state = [state[i] for i in sorted(range(128), key=lambda i: (keys[i], i))]
            state = walsh(state)
        outputs += state
    return outputs


def walsh(state: list[int]) -> list[int]:
    """The sum over all inputs with the sign (−1)^popcount(i & j): the definition, not the butterfly."""
    return [sum(-v if (i & j).bit_count() & 1 else v for j, v in enumerate(state)) for i in range(len(state))]


def ranks(outputs: list[int], group: int) -> list[int]:
    """How many of the group are below each value, or equal to it and before it."""
    numbered = [(value, index) for index, value in enumerate(outputs)]
    groups = [numbered[start : start + group] for start in range(0, len(outputs), group)]
    return [sum(other < own for other in members) for members in groups for own in members]


def packed(numbers: list[int], bits: int) -> bytes:
    """One big little-endian integer of ``bits`` bits a number."""
    whole = sum(number << bits * index for index, number in enumerate(numbers))
    return whole.to_bytes(-(-bits * len(numbers) // 8), "little")


def candidates(source: Iterator[int], length: int) -> Iterator[tuple[int, list[int]]]:
    """Draws of one u32 for the number of wrong values and three different, evenly drawn positions."""
    while True:
        draw = [int.from_bytes(bytes(itertools.islice(source, 4)), "little") for _ in range(4)]
        even = all(word < 2**32 // length * length for word in draw[1:])
        positions = [word % length for word in draw[1:]]
        if even and len(set(positions)) == len(positions):
            yield draw[0], positions


def hidden_in(bits: list[int], ratio: float, probabilities: list[float], seed: str) -> list[str]:
    """K-hidden records, each as six numbers "position value position value position value"."""
    source = iter(stream(seed, 64 * (math.ceil(len(bits) * ratio) + 64)))
    records = []
    for chance, positions in itertools.islice(candidates(source, len(bits)), math.ceil(len(bits) * ratio)):
        share = chance / 2**32
        wrong = 1 if share < probabilities[0] else 2 if share < probabilities[0] + probabilities[1] else 3
        pairs = [(p, bits[p] ^ (index < wrong)) for index, p in enumerate(positions)]
        records.append(" ".join(f"{p} {v}" for p, v in sorted(pairs)))
    return records


def counted(records: list[str], length: int) -> list[int]:
    """Ones less zeros at each position."""
    counts = [0] * length
    for record in records:
        words = [int(word) for word in record.split()]
        for position, value in zip(words[::2], words[1::2], strict=True):
            counts[position] += 1 if value else -1
    return counts


def float32(values: list[float]) -> list[float]:
    """The nearest single-precision numbers."""
    return [struct.unpack("<f", struct.pack("<f", value))[0] for value in values]


def faces() -> list[tuple[str, list[float]]]:
    """Made-up unit embeddings, rounded to float32 as a model's output is."""
    drawn = []
    for index in range(4):
        raw = [word / 2**31 - 1 for word in struct.unpack("<128I", stream(f"embedding {index}", 512))]
        length = math.sqrt(math.fsum(value * value for value in raw))
        drawn.append((f"embedding {index}", float32([value / length for value in raw])))
    return drawn


def sha256_i32(values: list[int]) -> str:
    """SHA-256 of int32, little-endian."""
    return hashlib.sha256(struct.pack(f"<{len(values)}i", *values)).hexdigest()


def contract_id() -> bytes:
    """SHA-256 of what shapes an embedding, from the shipped file."""
    content = json.loads((ROOT / "src/veilface/contract.json").read_text("ascii"))
    shaping = {name: content[name] for name in ("version", "detector_sha256", "embedder_sha256", "preprocessing", "mu")}
    return hashlib.sha256(json.dumps(shaping, sort_keys=True, separators=(",", ":")).encode("ascii")).digest()


def scheme_case(info: bytes, blocks: int) -> tuple[dict[str, Any], list[int]]:
    """One face under a token and the key of an epoch, as a device protects it: named inputs and all outputs."""
    (name, face), key, token = faces()[1], stream("epoch key", 32), stream("epoch token", 32)
    outputs = kt1(face, token, contract_id() + key, info, blocks)
    return {"embedding": name, "contract_id": contract_id().hex(), "key": key.hex(), "token": token.hex()}, outputs


def ranking_scheme() -> dict[str, Any]:
    """What a device sends for suite 0x03, as a template and as a probe."""
    case, outputs = scheme_case(b"veilface ranking 1", 4)
    return case | {"suite": 3, "template": packed(ranks(outputs, 32), 5).hex()}


def negative_scheme() -> dict[str, Any]:
    """What a device sends for suite 0x04: the probe, and the counts of records from a known stream."""
    case, outputs = scheme_case(b"veilface negative 1", 16)
    bits, seed = [int(value > 0) for value in outputs], "records of the epoch"
    counts = counted(hidden_in(bits, 4.5, [0.95, 0.03, 0.02], seed), len(bits))
    shown = struct.pack(f"{len(counts)}b", *counts).hex()
    return case | {"suite": 4, "probe": packed(bits, 1).hex(), "seed": seed, "template": shown}


def kt1_vectors() -> dict[str, Any]:
    """The published case and more, with other tokens, salts, labels and block counts."""
    ramp = [float((37 * i) % 101 - 50) for i in range(128)]
    cases = [("published", ramp, bytes(range(32)), EMPTY, b"blk", 4)]
    for index, (name, face) in enumerate(faces()):
        cases.append((name, face, stream(f"token {index}", 32), stream("salt", 32), b"label %d" % index, 1 + 5 * index))
    return {
        "about": "KT-1: quantised input, first outputs, and SHA-256 of all outputs as int32 LE. Bytes are hex.",
        "cases": [
            {
                "name": name,
                "embedding": values,
                "token": token.hex(),
                "salt": salt.hex(),
                "info": info.hex(),
                "blocks": blocks,
                "quantised": quantised(values),
                "first_outputs": (outputs := kt1(values, token, salt, info, blocks))[:8],
                "outputs_sha256": sha256_i32(outputs),
            }
            for name, values, token, salt, info, blocks in cases
        ],
    }


def ranking_vectors(salt: bytes) -> dict[str, Any]:
    """Packed templates at the default and the compact size, their scores, and the published bit ranking."""
    cases = []
    for group, bits in ((32, 5), (16, 4)):
        made = []
        for index, (name, face) in enumerate(faces()):
            token = stream(f"token {index // 2}", 32)
            outputs = kt1(face, token, salt, b"veilface ranking 1", 4)
            made.append((name, token, ranks(outputs, group)))
        first = [2 * rank - group + 1 for rank in made[0][2]]
        cases += [
            {
                "embedding": name,
                "token": token.hex(),
                "group": group,
                "packed": packed(numbers, bits).hex(),
                "score_with_first": sum((2 * r - group + 1) * u for r, u in zip(numbers, first, strict=True)),
            }
            for name, token, numbers in made
        ]
    return {
        "about": "Local ranking. salt and embeddings as in kt1.json; 512 outputs under the label 'veilface ranking 1'. "
        "scheme: as a device protects it, salt = contract_id ‖ key.",
        "salt": salt.hex(),
        "embeddings": dict(faces()),
        "cases": cases,
        "scheme": ranking_scheme(),
        "bit_ranking": [
            {
                "bits": "1011001001111110",
                "key": "0110011010010001",
                "block_bits": 4,
                "blocks": 4,
                "ranks": [1, 0, 2, 3],
            },
            {"bits": "111100001111", "key": "000000000000", "block_bits": 4, "blocks": 3, "ranks": [1, 0, 1]},
        ],
    }


def negative_vectors(salt: bytes) -> dict[str, Any]:
    """The published databases, records from a known stream, and the default protection."""
    small = [int(bit) for bit in "1001110101101000"]
    return {
        "about": "Negative databases. The randomness of a case is SHA-256(seed/0) ‖ SHA-256(seed/1) ‖ … "
        "scheme: as a device protects it, salt = contract_id ‖ key.",
        "databases": [
            {"records": ["001", "*1*"], "hidden": ["000", "100", "101"]},
            {"records": ["011*", "001*", "1*1*", "0*0*", "1*00"], "hidden": ["1001", "1101"]},
            {
                "records": ["10**", "010*", "111*", "0001", "0011", "0111", "1100"],
                "hidden": ["0000", "0010", "0110", "1101"],
            },
        ],
        "prefix": {"bits": "1011", "records": ["0***", "11**", "100*", "1010"]},
        "q_hidden": [
            {"q": 1.0, "probabilities": [3 / 7, 3 / 7, 1 / 7]},
            {"q": 0.5, "probabilities": [12 / 19, 6 / 19, 1 / 19]},
        ],
        "records": [
            {
                "bits": "".join(map(str, small)),
                "ratio": ratio,
                "probabilities": probabilities,
                "seed": seed,
                "records": (made := hidden_in(small, ratio, probabilities, seed)),
                "counts": counted(made, len(small)),
            }
            for ratio, probabilities, seed in (
                (2.0, [0.95, 0.03, 0.02], "small"),
                (4.2, [0.7, 0.24, 0.06], "hard"),
                (1.5, [0.65, 0.25, 0.1], "most"),
            )
        ],
        "salt": salt.hex(),
        "embeddings": dict(faces()),
        "cases": [default_negative(index, name, face, salt) for index, (name, face) in enumerate(faces())],
        "scheme": negative_scheme(),
    }


def default_negative(index: int, name: str, face: list[float], salt: bytes) -> dict[str, Any]:
    """One embedding under the default parameters, and its score as a probe against its own counts."""
    token, seed = stream(f"token {index}", 32), f"records {index}"
    bits = [int(value > 0) for value in kt1(face, token, salt, b"veilface negative 1", 16)]
    records = hidden_in(bits, 4.5, [0.95, 0.03, 0.02], seed)
    counts = counted(records, len(bits))
    return {
        "embedding": name,
        "token": token.hex(),
        "seed": seed,
        "probe": packed(bits, 1).hex(),
        "records_sha256": hashlib.sha256("\n".join(records).encode()).hexdigest(),
        "counts": struct.pack(f"{len(counts)}b", *counts).hex(),
        "score": sum(count * (2 * bit - 1) for count, bit in zip(counts, bits, strict=True)),
    }


def check_published(case: dict[str, Any]) -> None:
    """Stop unless the published answers come out here too."""
    outputs = kt1(case["embedding"], bytes(range(32)), EMPTY, b"blk", 4)
    found = [hashlib.sha256(bytes(ranks(outputs, group))).hexdigest() for group in (16, 32)]
    if case["outputs_sha256"] != KT1_OUTPUTS or found != [KT1_RANKS_16, KT1_RANKS_32]:
        raise SystemExit("the reference does not reproduce the published vector")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Derive the vectors of the keyed protections.")
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    checking = parser.parse_args().check
    salt = stream("contract", 32)
    made = {"kt1": kt1_vectors(), "ranking": ranking_vectors(salt), "negative": negative_vectors(salt)}
    check_published(made["kt1"]["cases"][0])
    made["kt1"]["cases"][0] |= {"ranks_16_sha256": KT1_RANKS_16, "ranks_32_sha256": KT1_RANKS_32}
    for name, content in made.items():
        path, text = VECTORS / f"{name}.json", json.dumps(content, ensure_ascii=False) + "\n"
        if not checking:
            path.write_text(text, "utf-8")
        elif path.read_text("utf-8") != text:
            raise SystemExit(f"{path} differs")


if __name__ == "__main__":
    main()
