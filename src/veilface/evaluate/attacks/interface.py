"""Attacks through the honest interface, by a thief with the victim's token or unlocked device and no database."""

from typing import Final

import numpy as np

from veilface.evaluate.attacks.constant import dictionary, mean_face, wolf
from veilface.evaluate.attacks.oracle import ALLOWED_REJECTIONS, Climb, climb
from veilface.evaluate.attacks.stage import Outcome, Reals, Stage

CLIMBED: Final = 10


def probe_attacks(stage: Stage) -> dict[str, Outcome]:
    """Mean face, wolf, dictionary, and hill climbing with and without the key holder's limits."""
    population = stage.cast.population
    return {
        "mean_face": stage.for_everybody(mean_face(population)[None]),
        "wolf": stage.for_everybody(wolf(population, stage.plain_threshold)[None]),
        "dictionary": stage.for_everybody(dictionary(population, stage.plain_threshold)),
        "hill_climbing": hill_climbing(stage, rejections=None),
        "hill_climbing_limited": hill_climbing(stage, rejections=ALLOWED_REJECTIONS),
    }


def hill_climbing(stage: Stage, *, rejections: int | None) -> Outcome:
    """Climb against the first victims, or all where limits make it quick; who is not opened counts with cosine 0."""
    faces = stage.cast.population.astype(np.float64)
    victims = stage.victims[:CLIMBED] if rejections is None else stage.victims
    climbs = [_climb_one(stage, victim, faces, rejections) for victim in victims]
    opened = [(victim, done.probe) for victim, done in zip(victims, climbs, strict=True) if done.probe is not None]
    accepted = [done.first_accepted for done in climbs if done.first_accepted is not None]
    cosines = [float(probe @ stage.cast.enrolled[victim]) for victim, probe in opened]
    return Outcome(
        cosine=sum(cosines) / len(victims),
        accepted_same=sum(stage.accepts(victim, probe) for victim, probe in opened) / len(victims),
        accepted_new=sum(stage.accepts(victim, probe, renewed=True) for victim, probe in opened) / len(victims),
        questions=int(np.median(accepted)) if accepted else None,
    )


def _climb_one(stage: Stage, victim: int, faces: Reals, rejections: int | None) -> Climb:
    order = stage.generator.permutation(len(faces))
    return climb(lambda probe: stage.accepts(victim, probe), faces[order], stage.generator, rejections=rejections)
