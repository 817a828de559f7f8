"""A kiosk's search: refuse, reserve, record, open – then answers, each of them recorded before it leaves.

A query's id belongs to the gallery and the epoch of its key under which it was begun. Nothing of what is opened
leaves: a search's answer is one to four places, nobody or too many, and a comparison's is a yes or a no.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Connection

from veilface.keyholder import audit, gallery_limits
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Cause, Entry, Event
from veilface.keyholder.decide import Evidence, judge
from veilface.keyholder.errors import Malformed
from veilface.keyholder.flows.gallery import reserve, superseded
from veilface.keyholder.gallery_errors import ProbeUnsound, QueryUnknown, TemplateClosed
from veilface.keyholder.gallery_work import Search
from veilface.keyholder.messages import exactly
from veilface.keyholder.office import Office
from veilface.keyholder.repack import SubjectSecret, opened, rekeyed
from veilface.protect import envelope
from veilface.protect.envelope import MessageType, Outcome
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import Conversion, Masked, Reshared, Verdict, require_words
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.ring import DATA, N
from veilface.protect.rlwe import NORM_BYTES, RANGE_BYTES, SCORE_BYTES
from veilface.protect.word_ring import Words

_CAUSES = {"hits": Cause.NONE, "none": Cause.SCORE, "ambiguous": Cause.AMBIGUOUS}


def begin(
    office: Office, *, header: bytes, signature: bytes, epoch: int, norm: bytes, range_: bytes, probe: Masked
) -> Conversion:
    """See ``GalleryApi.identify_begin``."""
    with office.stage("parse"):
        message = Message.parse(header, signature, MessageType.IDENTIFY)
        message.require_context(envelope.search_context(message.account))
        evidence = Evidence.parse(norm=norm, range_=range_)
        _require_masked(probe)
        if probe.key_fp != message.header.key_fp:
            raise Malformed(field="probe", got=probe.key_fp.hex(), expected=message.header.key_fp.hex())
    desk = office.galleries.office(message.account).desk(epoch)
    with office.stage("reserve"), office.store.transaction() as db:
        now_ms = office.clock()
        attempt = reserve(office, db, message, now_ms=now_ms)
        search = Search(desk=desk, attempt=attempt, header_hash=message.digest, device=message.device)
        audit.append(db, _entry(search, Event.SEARCH_BEGUN, Cause.NONE, now_ms), key=office.key)
    with office.stage("decide"):
        cause, coordinates = desk.examined(evidence, probe)
    if cause is not Cause.NONE or coordinates is None:
        _record(office, search, MessageType.IDENTIFY, cause)
        raise ProbeUnsound
    conversion = desk.converted(coordinates)
    office.searches.put(conversion.query, search)
    return conversion


def reshare(office: Office, *, query: bytes, shares: Words) -> Reshared:
    """See ``GalleryApi.identify_reshare``."""
    search = office.searches.find(query)
    with office.store.reading() as db:
        if _gone(db, search, office.clock()):
            raise QueryUnknown
    with _words("shares"), office.stage("reshare"):
        return search.desk.reshare(query, shares)


def conclude(office: Office, *, query: bytes, blinded: Words) -> Verdict:
    """See ``GalleryApi.identify_conclude``."""
    search = office.searches.find(query)
    with _words("blinded"), office.stage("conclude"):
        verdict = search.desk.conclude(query, blinded)
    _record(office, search, MessageType.IDENTIFY, _CAUSES[verdict.outcome])
    search.hits |= verdict.outcome == "hits"
    return verdict


# --- comparing with one of the hits ----------------------------------------------------------------------


def transfer(office: Office, *, query: bytes, template: Masked) -> bytes:
    """See ``GalleryApi.identify_transfer``."""
    _require_masked(template)
    search = office.searches.find(query)
    secret = office.galleries.office(search.gallery).secret_of(template.key_fp)
    if secret is None:
        raise TemplateClosed
    office.searches.spend_transfer(search)
    coordinates = opened(template, SubjectSecret(secret))
    if coordinates is None:
        raise TemplateClosed
    return rekeyed(search.desk.probe_key, coordinates)


def confirm(office: Office, *, query: bytes, evidence: bytes) -> bool:
    """See ``GalleryApi.identify_confirm``."""
    exactly(evidence, SCORE_BYTES + NORM_BYTES + RANGE_BYTES, "evidence")
    read = Evidence.split(evidence)
    search = office.searches.find(query)
    office.searches.spend_confirmation(search)
    cause = judge(search.desk.key.probe_secret, read)
    _record(office, search, Event.CONFIRM, cause)
    return cause is Cause.NONE


# --- the same for all ------------------------------------------------------------------------------------


def _record(office: Office, search: Search, type_: int, cause: Cause) -> None:
    """Write an answer down before it leaves; raises ``QueryUnknown`` where kiosk, gallery or epoch are gone."""
    with office.stage("record"), office.store.transaction() as db:
        now_ms = office.clock()
        gone = _gone(db, search, now_ms)
        gallery_limits.close(db, attempt=search.attempt)
        audit.append(db, _entry(search, type_, cause | gone, now_ms), key=office.key)
    if gone:
        raise QueryUnknown


def _gone(db: Connection, search: Search, now_ms: int) -> Cause:
    return superseded(db, search.gallery, search.device, now_ms, epoch=search.desk.key.epoch)


def _entry(search: Search, type_: int, cause: Cause, now_ms: int) -> Entry:
    return Entry(
        time_ms=now_ms,
        header_hash=search.header_hash,
        account=search.gallery,
        device=search.device,
        type=type_,
        decision=Outcome.ACCEPTED if cause is Cause.NONE else Outcome.NOT_ACCEPTED,
        cause=cause,
    )


def _require_masked(hidden: Masked) -> None:
    with _words("probe"):
        require_words(hidden.second, (len(DATA.primes), N), *DATA.primes)
        require_words(hidden.first, (len(DATA.primes), DIMENSION), *DATA.primes)


@contextmanager
def _words(field: str) -> Iterator[None]:
    """Words that are none of a ciphertext leave as ``Malformed``."""
    try:
        yield
    except MalformedCiphertext as error:
        raise Malformed(field=field, **error.details) from error
