# The compiled kernel (kernel/). Its doors: transforms, sampling, protect.conversion, match.scan, match.products,
# match.legs, keyholder.opening. Wrong shapes are ValueErrors.

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def best_level() -> int: ...
def scan(
    gallery: Sequence[NDArray[np.uint32]],
    probe: NDArray[np.uint32],
    out: NDArray[np.uint32],
    threads: int,
    level: int,
) -> None: ...
def forward(
    words: NDArray[np.uint32], roots: NDArray[np.uint32], quotients: NDArray[np.uint32], prime: int, level: int
) -> None: ...
def inverse(
    words: NDArray[np.uint32], roots: NDArray[np.uint32], quotients: NDArray[np.uint32], prime: int, level: int
) -> None: ...
def reduce(values: NDArray[np.int64], prime: int, level: int) -> None: ...
def narrow(
    drawn: NDArray[np.uint32],
    shift: int,
    largest: int,
    out: NDArray[np.uint32],
    refused: NDArray[np.int64],
    level: int,
) -> int: ...
def wide(
    drawn: NDArray[np.uint64],
    shift: int,
    largest: int,
    out: NDArray[np.int64],
    refused: NDArray[np.int64],
    level: int,
) -> int: ...
def ternary(drawn: NDArray[np.uint8], out: NDArray[np.int8], refused: NDArray[np.int64], level: int) -> int: ...
def binomial(drawn: NDArray[np.uint64], out: NDArray[np.int8], level: int) -> None: ...
def read(words: NDArray[np.uint32], threads: int, level: int) -> int: ...
def refresh(ciphertext: NDArray[np.uint32], zero: NDArray[np.uint32], out: NDArray[np.uint32]) -> None: ...
def score(
    stored: NDArray[np.uint32],
    probe: NDArray[np.uint32],
    limit: NDArray[np.uint32],
    blinding: NDArray[np.uint32],
    mask: NDArray[np.uint32],
    out: NDArray[np.uint8],
) -> None: ...
def norm(probe: NDArray[np.uint32], mask: NDArray[np.uint32], out: NDArray[np.uint8]) -> None: ...
def rounded(
    probe: NDArray[np.uint32],
    powers: NDArray[np.uint32],
    quotients: NDArray[np.uint32],
    inverses: NDArray[np.uint32],
    out: NDArray[np.uint8],
    level: int,
) -> None: ...
def mask_coordinates(
    ciphertexts: Sequence[bytes],
    keys: Sequence[bytes],
    secrets: NDArray[np.int8],
    errors: NDArray[np.int8],
    masks: NDArray[np.int64],
    roots: NDArray[np.uint32],
    first: NDArray[np.uint32],
    second: NDArray[np.uint32],
    sound: NDArray[np.uint8],
    threads: int,
    level: int,
) -> None: ...
def open_coordinates(
    secrets: Sequence[bytes],
    first: Sequence[NDArray[np.uint32]],
    second: Sequence[NDArray[np.uint32]],
    largest: int,
    roots: NDArray[np.uint32],
    out: NDArray[np.int64],
    found: NDArray[np.uint8],
    threads: int,
    level: int,
) -> None: ...
def hide(
    scores: NDArray[np.uint32],
    order: NDArray[np.int64],
    rotations: NDArray[np.int64],
    roots: NDArray[np.uint32],
    masks: NDArray[np.uint32],
    out: NDArray[np.uint32],
    threads: int,
    level: int,
) -> None: ...
def blind(
    first: NDArray[np.uint32],
    second: NDArray[np.uint32],
    factors: NDArray[np.uint32],
    sums: NDArray[np.uint32],
    out: NDArray[np.uint32],
    threads: int,
    level: int,
) -> None: ...
def reshare(
    shares: NDArray[np.uint32],
    scan_secret: NDArray[np.uint32],
    result_secret: NDArray[np.uint32],
    scan_powers: NDArray[np.uint32],
    scan_quotients: NDArray[np.uint32],
    powers: NDArray[np.uint32],
    quotients: NDArray[np.uint32],
    turns: NDArray[np.float64],
    second: NDArray[np.uint32],
    noise: NDArray[np.int8],
    out: NDArray[np.uint32],
    threads: int,
    level: int,
) -> None: ...
def mask_places(
    uniform: NDArray[np.uint32],
    offset: int,
    key: NDArray[np.uint32],
    secrets: NDArray[np.int8],
    errors: NDArray[np.int8],
    powers: NDArray[np.uint32],
    quotients: NDArray[np.uint32],
    out: NDArray[np.uint32],
    share: NDArray[np.uint16],
    threads: int,
    level: int,
) -> None: ...
def blind_pairs(
    factors: NDArray[np.float64],
    dither: NDArray[np.float64],
    decoys: NDArray[np.float64],
    live: NDArray[np.uint8],
    shares: NDArray[np.uint16],
    rotations: NDArray[np.int64],
    offset: float,
    limit: float,
    key: NDArray[np.uint32],
    secrets: NDArray[np.int8],
    errors: NDArray[np.int8],
    powers: NDArray[np.uint32],
    quotients: NDArray[np.uint32],
    turns: NDArray[np.float64],
    out_factors: NDArray[np.uint32],
    out_sums: NDArray[np.uint32],
    threads: int,
    level: int,
) -> None: ...
def seal(
    messages: NDArray[np.int64],
    noise: NDArray[np.int8],
    second: NDArray[np.uint32],
    secret: NDArray[np.uint32],
    powers: NDArray[np.uint32],
    quotients: NDArray[np.uint32],
    out: NDArray[np.uint32],
    threads: int,
    level: int,
) -> None: ...
def answer(
    blinded: NDArray[np.uint32],
    secret: NDArray[np.uint32],
    powers: NDArray[np.uint32],
    quotients: NDArray[np.uint32],
    turns: NDArray[np.float64],
    out: NDArray[np.float64],
    threads: int,
    level: int,
) -> None: ...
