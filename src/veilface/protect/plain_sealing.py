"""What the kernel encrypts, in NumPy, for machines on which it could not be built."""

from veilface.kernel.roots import Words
from veilface.kernel.sampling import Small
from veilface.protect.word_ring import SCAN, Integers, products


def seal(  # noqa: PLR0917 – the kernel's signature
    messages: Integers,
    noise: Small,
    second: Words,
    secret: Words,
    powers: Words,
    quotients: Words,
    out: Words,
    threads: int,
    level: int,
) -> None:
    """Row by row, so that what is computed on stays in the cache."""
    del powers, quotients, threads, level
    for row, drawn in enumerate(second):
        out[row] = SCAN.reduce(SCAN.forward(messages[row] + noise[row]) - products(drawn, secret))
