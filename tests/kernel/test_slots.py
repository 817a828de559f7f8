"""Polynomials and their slots."""

import numpy as np

from veilface.kernel import slots


def test_a_slot_is_the_value_at_its_root() -> None:
    rng = np.random.default_rng(1)
    polynomials = rng.integers(-1000, 1000, (2, 3, 4096)).astype(np.float64)
    real, imaginary = slots.values(polynomials)
    for slot in (0, 1, 1000, 2047):
        powers = np.exp(1j * np.pi * (4 * slot + 1) / 4096 * np.arange(4096))
        assert np.abs(polynomials @ powers - (real + 1j * imaginary)[..., slot]).max() < 1e-6


def test_polynomials_are_found_by_their_slots() -> None:
    real, imaginary = np.random.default_rng(2).standard_normal((2, 3, 2048))
    found = slots.values(slots.coefficients(real, imaginary))
    assert np.abs(np.stack(found) - [real, imaginary]).max() < 1e-12
