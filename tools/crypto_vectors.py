"""Derives vectors/ring.json, homomorphic.json, envelope.json and payment.json.

``python tools/crypto_vectors.py`` writes them; ``--check`` only compares. Transforms are evaluated from the
definition with plain integers, and structures are joined by hand: the packages under test are not asked. Signatures
are deterministic (RFC 6979) under a key that is the hash of a public sentence, and so protects nothing.
"""

import argparse
import hashlib
import json
import math
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
N = 4096
PRIMES = (16736257, 16760833, 974849, 1032193)
KEY_SENTENCE = b"veilface test vectors: this key is public"


def smallest_root(prime: int) -> int:
    """The smallest number whose 4096-th power is −1."""
    found = next(x for base in range(2, prime) if pow(x := pow(base, (prime - 1) // (2 * N), prime), N, prime) != 1)
    return min(pow(found, odd, prime) for odd in range(1, 2 * N, 2))


def transform(coefficients: Sequence[int], prime: int) -> list[int]:
    """Word i is the value at ψ^(2·r(i)+1), r reversing 12 bits: a polynomial evaluated 4096 times, term by term."""
    root = smallest_root(prime)
    powers = [pow(root, exponent, prime) for exponent in range(2 * N)]
    terms = [(index, value) for index, value in enumerate(coefficients) if value]
    words = []
    for index in range(N):
        point = 2 * int(f"{index:012b}"[::-1], 2) + 1
        words.append(sum(value * powers[power * point % (2 * N)] for power, value in terms) % prime)
    return words


def digest(words: Sequence[int]) -> str:
    """SHA-256 of the words as u32, little-endian."""
    return hashlib.sha256(struct.pack(f"<{len(words)}I", *words)).hexdigest()


def ring() -> dict[str, Any]:
    """Roots and transforms modulo all four primes."""
    inputs = [[1], [0, 1], [-1, 2, -3, 8388608], [(37 * i) % 101 - 50 for i in range(128)]]
    cases = []
    for coefficients in inputs:
        rows = [transform(coefficients, prime) for prime in PRIMES]
        cases.append(
            {
                "coefficients": coefficients,
                "sha256": [digest(row) for row in rows],
                "first_words": [row[:8] for row in rows],
            }
        )
    return {"n": N, "primes": PRIMES, "roots": [smallest_root(prime) for prime in PRIMES], "transforms": cases}


def homomorphic() -> dict[str, Any]:
    """Unit embeddings, rounded to float32, and their plaintexts."""
    cases = []
    for raw in ([(37 * i) % 101 - 50 for i in range(128)], [1] + [0] * 127, [(-1) ** i for i in range(128)]):
        length = math.sqrt(sum(value * value for value in raw))
        embedding = [struct.unpack("<f", struct.pack("<f", value / length))[0] for value in raw]
        template = [math.floor(value * 32768 + 0.5) for value in embedding]
        words = [word for prime in PRIMES[:3] for word in transform(template[::-1], prime)]
        cases.append({"embedding": embedding, "template": template, "probe_words_sha256": digest(words)})
    return {"cases": cases}


def stream(label: str, length: int) -> bytes:
    """Bytes that look random and are not."""
    return hashlib.shake_256(label.encode()).digest(length)


def sign(data: bytes) -> bytes:
    """Deterministic ECDSA, raw r ‖ s."""
    r, s = decode_dss_signature(key().sign(data, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def key() -> ec.EllipticCurvePrivateKey:
    """The key of the vectors."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(KEY_SENTENCE).digest(), "big"), ec.SECP256R1())


def header(kind: int, *, named: bool, context: bytes | None = None, suite: int = 1) -> dict[str, Any]:
    """A header, its bytes and its signature; without ``named`` the three optional hashes are zero."""
    fields = {
        "account_id": stream("account", 16),
        "device_id": stream("device", 16),
        "key_fp": stream("key", 32) if named else bytes(32),
        "model_fp": stream("model", 32) if named else bytes(32),
        "challenge": stream(f"challenge {kind}", 32),
        "context_hash": context or stream("context", 32),
        "body_hash": hashlib.sha256(b"").digest(),
        "template_hash": stream("template", 32) if named else bytes(32),
    }
    issued = 1_700_000_000_123
    before = b"".join(fields[name] for name in ("account_id", "device_id", "key_fp", "model_fp", "challenge"))
    after = b"".join(fields[name] for name in ("context_hash", "body_hash", "template_hash"))
    data = b"VFC1" + bytes([kind, suite, 0, 0]) + before + issued.to_bytes(8, "big") + after + bytes(16)
    shown = {name: value.hex() for name, value in fields.items()}
    plain = {"type": kind, "suite": suite, "issued_ms": issued}
    return {"fields": plain | shown, "bytes": data.hex(), "signature": sign(data).hex()}


def envelope() -> dict[str, Any]:
    """Headers, contexts, a certificate and the receipt of the first header."""
    public = key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    device_id, binding, gallery = stream("device", 16), stream("binding", 32), stream("gallery", 16)
    headers = [header(11, named=True), header(10, named=True), header(17, named=False)]
    headers += [header(10, named=True, suite=3), header(11, named=True, suite=4)]
    cert = b"VFKC\x03\x01" + stream("account", 16) + struct.pack(">IQQ", 7, 1_700_000_000_000, 1_800_000_000_000)
    cert += stream("key", 32)
    answered = hashlib.sha256(bytes.fromhex(headers[0]["bytes"])).digest()
    receipt = b"VFRC" + answered + stream("template", 32) + bytes([11, 1])
    receipt += struct.pack(">HQQQ", 2, 345, 1_700_000_000_456, 6789) + stream("log", 32)
    contexts = [
        {
            "label": label,
            "origin": origin,
            "binding": binding.hex(),
            "hash": hashlib.sha256(label.encode() + origin.encode() + binding).hexdigest(),
        }
        for label, origin in (("VFLOGIN", "https://veilface.example"), ("VFENROL", "http://localhost:8000"))
    ]
    return {
        "public_key": public.hex(),
        "headers": headers,
        "contexts": contexts,
        "device_context": {
            "public_key": public.hex(),
            "device_id": device_id.hex(),
            "hash": hashlib.sha256(b"VFDEVICE" + public + device_id).hexdigest(),
        },
        "revocation_context": {
            "device_id": device_id.hex(),
            "hash": hashlib.sha256(b"VFREVOKE" + device_id).hexdigest(),
        },
        "gallery_contexts": [
            {
                "act": act,
                "gallery": gallery.hex(),
                "hash": hashlib.sha256(b"VFGALLERY" + gallery + act.encode()).hexdigest(),
            }
            for act in ("in", "out", "register")
        ],
        "search_context": {"gallery": gallery.hex(), "hash": hashlib.sha256(b"VFSEARCH" + gallery).hexdigest()},
        "key_cert": {"bytes": (cert + sign(cert)).hex(), "epoch": 7, "suite": 3},
        "receipt": {"bytes": (receipt + sign(receipt)).hex(), "total_decisions": 345, "time_ms": 1_700_000_000_456},
    }


def payment() -> dict[str, Any]:
    """A statement, and the header and receipt that prove it paid."""
    name = "街角咖啡"
    fields = {"amount_minor": 1_850, "currency": "CNY", "exponent": 2, "expires_ms": 1_700_000_300_000}
    payee, nonce, name_hash = stream("payee", 16), stream("nonce", 16), hashlib.sha256(name.encode()).digest()
    statement = b"VFPAY001" + payee + struct.pack(">Q3sB", fields["amount_minor"], b"CNY", 2) + nonce + name_hash
    statement += struct.pack(">Q", fields["expires_ms"]) + bytes(28)
    context = hashlib.sha256(statement).digest()
    signed = header(12, named=True, context=context)
    receipt = b"VFRC" + hashlib.sha256(bytes.fromhex(signed["bytes"])).digest() + stream("template", 32)
    receipt += bytes([12, 0]) + struct.pack(">HQQQ", 0, 346, 1_700_000_000_789, 6790) + stream("log", 32)
    public = key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "public_key": public.hex(),
        "payee_name": name,
        "fields": fields | {"payee_id": payee.hex(), "order_nonce": nonce.hex(), "payee_name_hash": name_hash.hex()},
        "statement": statement.hex(),
        "context_hash": context.hex(),
        "header": signed["bytes"],
        "signature": signed["signature"],
        "receipt": (receipt + sign(receipt)).hex(),
    }


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare with what is there")
    check = parser.parse_args().check
    stale = []
    made = {"ring": ring(), "homomorphic": homomorphic(), "envelope": envelope(), "payment": payment()}
    for name, content in made.items():
        path, text = VECTORS / f"{name}.json", json.dumps(content, indent=1) + "\n"
        if not check:
            path.write_text(text)
        elif json.loads(path.read_text()) != json.loads(text):
            stale.append(path.name)
    if stale:
        print("differ:", ", ".join(stale), file=sys.stderr)
    return len(stale)


if __name__ == "__main__":
    sys.exit(main())
