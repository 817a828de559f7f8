"""Whatever is registered keeps the one interface; what is open can also be scored."""

import numpy as np
import pytest

from veilface.protect.errors import MalformedCiphertext, ProtectError, UnknownScheme
from veilface.protect.rlwe import generate_key
from veilface.protect.scheme import OpenScheme, names, open_scheme, scheme

OPEN = [name for name in names() if isinstance(scheme(name), OpenScheme)]


def unit(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(seed).standard_normal(128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def token(name: str) -> bytes:
    return generate_key()[1] if name == "homomorphic" else bytes(range(32))


def test_homomorphic_is_the_default_and_sealed() -> None:
    assert names()[0] == "homomorphic"
    assert "homomorphic" not in OPEN
    assert "insecure" in "".join(name for name in names() if "plain" in name)


@pytest.mark.parametrize("name", names())
def test_artefacts_have_the_sizes_that_are_described(name: str) -> None:
    protection, key = scheme(name), token(name)
    description = protection.describe()
    assert protection.name == description.name == name
    assert len(protection.enrol(unit(0), key)) == description.template_bytes
    assert len(protection.probe(unit(0), key)) == description.probe_bytes
    assert description.does_not_promise, "no protection is without limits"


@pytest.mark.parametrize("name", OPEN)
def test_an_open_scheme_scores_the_same_face_higher(name: str) -> None:
    protection, key = open_scheme(name), token(name)
    template = protection.enrol(unit(0), key)
    assert protection.score(protection.probe(unit(0), key), template) > protection.score(
        protection.probe(unit(1), key), template
    )


@pytest.mark.parametrize("name", OPEN)
def test_an_open_scheme_refuses_what_it_did_not_make(name: str) -> None:
    protection, key = open_scheme(name), token(name)
    with pytest.raises(ProtectError):
        protection.score(protection.probe(unit(0), key)[:-1], protection.enrol(unit(0), key))


def test_the_homomorphic_scheme_refuses_a_token_that_is_no_key() -> None:
    with pytest.raises(MalformedCiphertext):
        scheme("homomorphic").probe(unit(0), bytes(32))


def test_an_unknown_or_sealed_scheme_is_named() -> None:
    with pytest.raises(UnknownScheme) as unknown:
        scheme("rot13")
    assert unknown.value.details["got"] == "rot13"
    with pytest.raises(UnknownScheme):
        open_scheme("homomorphic")
