"""Python and the device's TypeScript protect 1,000 random embeddings to the same bytes."""

import hashlib
import json
import secrets
import subprocess
from pathlib import Path

import numpy as np

from tests.protect.node import node
from veilface.protect import negative, ranking
from veilface.protect.token import fresh_token

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 1000
SEED = "both languages"


def random_embeddings() -> np.ndarray:
    """Unit float32 rows; every tenth is scaled to a length far from one, every eleventh is nearly all zero."""
    seed = secrets.randbits(64)
    print(f"embeddings of seed {seed}")  # noqa: T201 – pytest shows it where the test fails
    drawn = np.random.default_rng(seed).normal(size=(PEOPLE, 128)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    drawn[::10] *= np.float32(1e-6)
    drawn[::11, 3:] = 0
    return drawn


def stream(length: int) -> bytes:
    blocks = (hashlib.sha256(f"{SEED}/{index}".encode()).digest() for index in range(-(-length // 32)))
    return b"".join(blocks)[:length]


class Replayed:
    """The same stream from its beginning for each person."""

    def __init__(self, recorded: bytes) -> None:
        self.recorded, self.offset = recorded, 0

    def __call__(self, length: int) -> bytes:
        taken = self.recorded[self.offset : self.offset + length]
        self.offset += length
        return taken


def in_python(embedding: np.ndarray, token: bytes, salt: bytes, recorded: bytes) -> str:
    ranked = ranking.ranking_transform(token, salt=salt).apply(embedding)
    bits = negative.sign_bits(negative.negative_transform(token, salt=salt).apply(embedding))
    counts = negative.k_hidden(bits, randomness=Replayed(recorded)).counts(negative.DEFAULT.length)
    outputs = hashlib.sha256(ranked.astype("<i4").tobytes()).hexdigest()
    packed = ranking.pack_ranks(ranking.local_ranks(ranked)).hex()
    return f"{outputs} {packed} {negative.pack_bits(bits).hex()} {counts.tobytes().hex()}"


def test_a_thousand_random_embeddings() -> None:
    salt, tokens = secrets.token_bytes(32), [fresh_token() for _ in range(PEOPLE)]
    embeddings = random_embeddings()
    people = [
        {"embedding": row.astype("<f4").tobytes().hex(), "token": token.hex()}
        for row, token in zip(embeddings, tokens, strict=True)
    ]
    question = json.dumps({"salt": salt.hex(), "seed": SEED, "people": people})
    script = ROOT / "web/tests/protect/protect-keyed.js"
    answer = subprocess.run([node(), str(script)], input=question, capture_output=True, text=True, check=True)
    recorded = stream(16 * 2 * negative.DEFAULT.records)
    expected = [in_python(row, token, salt, recorded) for row, token in zip(embeddings, tokens, strict=True)]
    assert answer.stdout.splitlines() == expected
