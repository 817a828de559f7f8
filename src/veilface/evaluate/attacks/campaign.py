"""Every attack on every protection, by what the thief has.

Leaks: ``database``; ``database_token``; ``several_databases`` (eight renewals, tokens unknown) and
``several_databases_tokens``; ``token_only`` – the token or the unlocked device, and no database; and for homomorphic
encryption ``database_keyholder``, when both programs are robbed.
"""

from collections.abc import Callable
from typing import Final

from veilface.evaluate.attacks.ciphertexts import attack_homomorphic
from veilface.evaluate.attacks.interface import probe_attacks
from veilface.evaluate.attacks.keyed import (
    attack_negative,
    attack_published_negative,
    attack_published_ranking,
    attack_ranking,
)
from veilface.evaluate.attacks.stage import Outcome, Stage

Results = dict[str, dict[str, Outcome]]


def attack_plain(stage: Stage) -> Results:
    """What is stored is the embedding."""
    return {"database": {"read": stage.faces(list(stage.stored.astype(float)))}, "token_only": probe_attacks(stage)}


ATTACKS: Final[dict[str, Callable[[Stage], Results]]] = {
    "insecure_plain": attack_plain,
    "homomorphic": attack_homomorphic,
    "ranking": attack_ranking,
    "negative": attack_negative,
    "ranking_published": attack_published_ranking,
    "negative_published": attack_published_negative,
}


def attack(stage: Stage) -> Results:
    """Outcomes by leak and attack."""
    return ATTACKS[stage.protection.name](stage)
