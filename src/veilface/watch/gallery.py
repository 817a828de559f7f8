"""Names from a gallery, by way of a kiosk."""

from typing import Final

from veilface.face.attention import Outcome
from veilface.face.embedder import Embedding
from veilface.sdk.kiosk import Desk
from veilface.watch.searching import Found

OUTCOMES: Final[dict[str, Outcome]] = {"found": "named", "nobody": "unknown", "ambiguous": "unclear"}


class GallerySearcher:
    """Asks at a kiosk's desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def prepare(self) -> None:
        """Has challenges ready, and the gallery's key checked."""
        self._desk.prepare()

    def find(self, embedding: Embedding) -> Found:
        """The person of the gallery with this unit embedding (128,); several alike are nobody in particular."""
        search = self._desk.search(embedding)
        people, outcome = search.answer.people, OUTCOMES[search.answer.outcome]
        if outcome == "named" and len(people) != 1:
            outcome = "unclear"
        person, name = people[0] if outcome == "named" else (None, None)
        return Found(outcome=outcome, person=person, name=name, timings_ms=search.timings_ms)
