"""Whatever is registered keeps the one interface; what is open can also be scored."""

import numpy as np
import pytest

from veilface.protect.calibration import model_fp, threshold_units
from veilface.protect.errors import MalformedCiphertext, ProtectError, UnknownScheme, UnusableKey
from veilface.protect.scheme import (
    OpenProtection,
    OpenScheme,
    Protection,
    names,
    open_scheme,
    protection,
    protection_of,
    protections,
    scheme,
)
from veilface.protect.suites import Suite

OPEN = [name for name in names() if isinstance(scheme(name), OpenScheme)]
KEYED = [found for found in protections() if isinstance(found, OpenProtection)]
TOKEN, OTHER_TOKEN = bytes(range(32)), bytes(range(32, 64))


def unit(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(seed).standard_normal(128)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def key_of(name: str) -> bytes:
    found = scheme(name)
    return found.generate_key().public_key if isinstance(found, Protection) else b""


def test_homomorphic_is_the_default_and_sealed() -> None:
    assert names()[0] == "homomorphic"
    assert "homomorphic" not in OPEN
    assert "insecure" in "".join(name for name in names() if "plain" in name)


def test_every_suite_has_one_protection_and_the_baseline_none() -> None:
    assert {found.suite: found.name for found in protections()} == {
        Suite.HOMOMORPHIC: "homomorphic",
        Suite.RANKING: "ranking",
        Suite.NEGATIVE: "negative",
    }
    for found in protections():
        assert protection_of(found.suite).name == protection(found.name).name == found.name
    with pytest.raises(UnknownScheme):
        protection("insecure_plain")


@pytest.mark.parametrize("name", names())
def test_artefacts_have_the_sizes_that_are_described(name: str) -> None:
    found, key = scheme(name), key_of(name)
    description = found.describe()
    assert found.name == description.name == name
    assert len(key) == found.key_bytes
    template, probe = (make(unit(0), key=key, token=TOKEN) for make in (found.enrol, found.probe))
    assert len(template) == found.template_bytes == description.template_bytes
    assert len(probe) == found.probe_bytes == description.probe_bytes
    assert description.does_not_promise, "no protection is without limits"
    if isinstance(found, Protection):
        found.check_template(template)
        found.check_probe(probe)


@pytest.mark.parametrize("found", protections(), ids=lambda found: found.name)
def test_what_no_device_makes_is_refused(found: Protection) -> None:
    for length in (0, found.template_bytes - 1, found.template_bytes + 1):
        with pytest.raises(ProtectError):
            found.check_template(bytes(length))
    for length in (0, found.probe_bytes - 1, found.probe_bytes + 1):
        with pytest.raises(ProtectError):
            found.check_probe(bytes(length))
    with pytest.raises(ProtectError):
        found.check_template(b"\x7f" * found.template_bytes)  # no ranks, counts or residues are all that large


@pytest.mark.parametrize("name", OPEN)
def test_an_open_scheme_scores_the_same_face_higher(name: str) -> None:
    found, key = open_scheme(name), key_of(name)
    template = found.enrol(unit(0), key=key, token=TOKEN)
    same, other = (found.probe(unit(seed), key=key, token=TOKEN) for seed in (0, 1))
    assert found.score(same, template) > found.score(other, template)


@pytest.mark.parametrize("found", KEYED, ids=lambda found: found.name)
def test_another_token_and_another_key_each_make_another_transform(found: OpenProtection) -> None:
    key, later_key = (found.generate_key().public_key for _ in range(2))
    template, threshold = found.enrol(unit(0), key=key, token=TOKEN), threshold_units(found.name)
    assert found.score(found.probe(unit(0), key=key, token=TOKEN), template) >= threshold
    assert found.score(found.probe(unit(0), key=key, token=OTHER_TOKEN), template) < threshold
    assert found.score(found.probe(unit(0), key=later_key, token=TOKEN), template) < threshold
    with pytest.raises(UnusableKey):
        found.probe(unit(0), key=key[1:], token=TOKEN)


@pytest.mark.parametrize("name", OPEN)
def test_an_open_scheme_refuses_what_it_did_not_make(name: str) -> None:
    found, key = open_scheme(name), key_of(name)
    template, probe = (make(unit(0), key=key, token=TOKEN) for make in (found.enrol, found.probe))
    with pytest.raises(ProtectError):
        found.score(probe[:-1], template)


def test_the_homomorphic_scheme_refuses_bytes_that_are_no_key() -> None:
    with pytest.raises(MalformedCiphertext):
        scheme("homomorphic").probe(unit(0), key=bytes(32), token=b"")


def test_an_unknown_or_sealed_scheme_is_named() -> None:
    with pytest.raises(UnknownScheme) as unknown:
        scheme("rot13")
    assert unknown.value.details["got"] == "rot13"
    with pytest.raises(UnknownScheme):
        open_scheme("homomorphic")


def test_every_protection_has_a_threshold_and_a_fingerprint_of_its_own() -> None:
    assert 300_000 < threshold_units("homomorphic") < 400_000
    assert len({model_fp(found.name) for found in protections()}) == len(protections())
