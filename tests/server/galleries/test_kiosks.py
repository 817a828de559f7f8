"""Kiosks: let in by a code, once; what they may do in their gallery, and what nobody else may."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db.models import F
from django.utils import timezone

from tests.server.conftest import SiteTransport, Switchable
from tests.server.galleries.conftest import Visitor
from tests.server.galleries.kiosk import Kiosk, name_field
from tests.support import Message, granted, near, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.server.base64url import encode
from veilface.server.galleries import operating, registering
from veilface.server.galleries.access import digest
from veilface.server.galleries.keeper import Keeper
from veilface.server.galleries.models import Block, Gallery, Invitation, Member, Registration
from veilface.server.galleries.models import Kiosk as KioskRow
from veilface.server.galleries.rooms import Rooms

Bend = Callable[[Message], Message]


# --- joining ---------------------------------------------------------------------------------------------


def test_a_code_lets_one_kiosk_in_and_is_kept_as_a_digest(gallery: Gallery) -> None:
    code = operating.invite(gallery)
    first, second = Kiosk(SiteTransport()), Kiosk(SiteTransport())
    late = second.registration(code)
    answer = first.join(code.lower().replace("-", " "))
    assert answer.status == 201, answer.body
    assert answer.json["gallery"] == {"id": gallery.id, "name": "前台", "purpose": "迎宾", "may_register": True}
    assert KioskRow.objects.get().token == digest(first.token)
    assert first.send("GET", "/kiosk").json["state"] == "active"
    refused = second.send("POST", "/kiosks", late)
    assert (refused.status, refused.code) == (403, "galleries.invitation_unusable")
    assert KioskRow.objects.count() == 1


def test_codes_that_are_wrong_or_old_let_nobody_in(gallery: Gallery) -> None:
    code = operating.invite(gallery)
    kiosk = Kiosk(SiteTransport())
    registration = kiosk.registration(code)
    wrong = kiosk.send("POST", "/kiosks", registration | {"code": "0000-0000-0000"})
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    old = kiosk.send("POST", "/kiosks", registration)
    assert wrong.json == old.json | {"message": wrong.json["message"]}
    assert KioskRow.objects.count() == 0


def test_guessing_codes_comes_to_an_end(gallery: Gallery) -> None:
    kiosk = Kiosk(SiteTransport())
    asked = {"code": "0", "device_id": "0" * 32, "context_hash": "A" * 43}
    answers = [kiosk.send("POST", "/kiosks/challenges", asked).status for _ in range(31)]
    assert answers == [403] * 30 + [429]


def test_joining_again_after_a_lost_answer_is_told_the_same(gallery: Gallery, keyholder: Switchable) -> None:
    code, kiosk = operating.invite(gallery), Kiosk(SiteTransport())
    keyholder.fails["register_device"] = KeyHolderUnavailable()
    assert kiosk.join(code).status == 503
    keyholder.fails.clear()
    Invitation.objects.update(expires_at=F("expires_at") - operating.CODE_LIFETIME)  # the code's quarter of an hour
    stranger = Kiosk(SiteTransport())
    stranger.device_id = kiosk.device_id
    registration = kiosk.registration(code)
    first, again = kiosk.send("POST", "/kiosks", registration), kiosk.join(code)
    assert (first.status, first.json) == (201, again.json)
    assert kiosk.send("GET", "/kiosk").json["state"] == "active"
    other_key = registration | {"public_key": encode(stranger.public_key)}
    other_token = registration | {"token_hash": encode(bytes(32))}
    asked = {"code": code, "device_id": kiosk.device_id.hex(), "context_hash": encode(bytes(32))}
    assert stranger.send("POST", "/kiosks/challenges", asked).code == "galleries.invitation_unusable"
    assert stranger.send("POST", "/kiosks", other_key).code == "galleries.invitation_unusable"
    assert stranger.send("POST", "/kiosks", other_token).code == "keyholder.device_known"
    assert KioskRow.objects.get().token == digest(kiosk.token)
    operating.revoke(gallery, "大门")
    assert kiosk.join(code).code == "keyholder.device_known"
    Invitation.objects.update(expires_at=timezone.now())
    assert kiosk.send("POST", "/kiosks", registration).code == "galleries.invitation_unusable"


def test_a_kiosk_that_was_cut_off_between_key_holder_and_server_joins_after_all(gallery: Gallery) -> None:
    code, kiosk = operating.invite(gallery), Kiosk(SiteTransport())
    assert kiosk.join(code).status == 201
    KioskRow.objects.all().delete()
    assert kiosk.join(code).json["state"] == "active"


def test_a_token_is_one_kiosks(gallery: Gallery, kiosk: Kiosk) -> None:
    other = Kiosk(SiteTransport())
    other.token = kiosk.token
    assert other.join(operating.invite(gallery)).code == "keyholder.device_known"
    assert KioskRow.objects.count() == 1


def test_a_revoked_kiosk_is_not_let_in(gallery: Gallery, kiosk: Kiosk) -> None:
    operating.revoke(gallery, "大门")
    answer = kiosk.send("GET", "/kiosk", **{"Accept-Language": "en"})
    assert (answer.status, answer.code) == (401, "galleries.kiosk_token_invalid")
    assert answer.json["message"].startswith("This kiosk's token")
    assert kiosk.send("GET", "/galleries").status == 401


# --- searching -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bend", "code"),
    [
        (lambda m: m.with_header(account_id=bytes(16)), "server.wrong_message"),
        (lambda m: m.with_header(device_id=bytes(16)), "server.wrong_message"),
        (lambda m: m.with_header(context_hash=bytes(32)), "server.context_mismatch"),
        (lambda m: m.with_header(model_fp=bytes(32)), "keyholder.wrong_contract"),
        (lambda m: m.with_header(issued_ms=0), "server.stale_message"),
        (lambda m: Message(m.header, bytes(len(m.body))), "protect.body_mismatch"),
        (lambda m: m.with_header(challenge=bytes(32)), "keyholder.challenge_forged"),
    ],
)
def test_a_bent_search_is_refused(bend: Bend, code: str, kiosk: Kiosk, keeper: Keeper) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    answer = kiosk.octets("/kiosk/searches", kiosk.sealed(bend(kiosk.message("identify", unit(1)))))
    assert answer.code == code, answer.body


def test_a_search_counts_once_and_needs_the_kiosks_own_signature(kiosk: Kiosk, keeper: Keeper) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    message = kiosk.message("identify", unit(1))
    sealed = kiosk.sealed(message)
    other = Kiosk(kiosk.transport)
    assert kiosk.octets("/kiosk/searches", other.sealed(message)).status == 403
    assert kiosk.octets("/kiosk/searches", sealed).json["outcome"] == "found"
    assert kiosk.octets("/kiosk/searches", sealed).code == "keyholder.challenge_replayed"


def test_a_probe_that_is_no_unit_vector_is_refused(kiosk: Kiosk, keeper: Keeper) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    message = kiosk.message("identify", unit(1))
    zero = message.with_body(message.body[:36_864] * 2)
    answer = kiosk.octets("/kiosk/searches", kiosk.sealed(zero))
    assert (answer.status, answer.code) == (403, "keyholder.probe_unsound")


def test_challenges_may_be_fetched_ahead(kiosk: Kiosk) -> None:
    assert len({grant["challenge"] for grant in kiosk.grants("identify", 4)}) == 4
    assert kiosk.send("POST", "/kiosk/challenges", {"type": "identify", "count": 5}).status == 422


# --- registering -----------------------------------------------------------------------------------------


def test_a_kiosk_registers_renames_and_deletes(kiosk: Kiosk, keeper: Keeper, gallery: Gallery) -> None:
    made = kiosk.register(unit(1), " 张三 ")
    assert made.status == 201, made.body
    assert (made.json["name"], made.json["kind"]) == ("张三", "kiosk")
    keeper.round()
    assert kiosk.names(near(unit(1), cosine=0.8)) == ["张三"]
    person = f"/kiosk/people/{made.json['id']}"
    assert kiosk.send("PATCH", person, {"name": "李四"}).json["name"] == "李四"
    assert kiosk.names(unit(1)) == ["李四"]
    assert kiosk.send("DELETE", person).status == 204
    assert kiosk.names(unit(1)) == []
    assert kiosk.send("DELETE", person).status == kiosk.send("PATCH", person, {"name": "李四"}).status == 404
    assert Registration.objects.count() == 0
    keeper.round()
    assert kiosk.names(unit(1)) == []


def test_the_same_registration_again_finds_the_same_person(kiosk: Kiosk) -> None:
    application = kiosk.application(unit(1), "张三")
    assert kiosk.apply(application).json == kiosk.apply(application).json
    assert Member.objects.count() == 1


def test_nobody_is_registered_twice(kiosk: Kiosk) -> None:
    """Also where the first registration is not packed yet, as when two kiosks have one person before them."""
    made = kiosk.register(unit(1), "张三").json
    for language, words in (("zh", "“张三”"), ("en", "“张三”. Rename them")):
        application = kiosk.application(near(unit(1), cosine=0.8), "李四")
        answer = kiosk.apply(application, language=language)
        assert (answer.status, answer.code) == (409, "galleries.person_known")
        assert answer.json["details"] == {"person": made["id"], "name": "张三", "kind": "kiosk"}
        assert words in answer.json["message"]
    assert [row.name for row in Member.objects.all()] == ["张三"]
    assert Registration.objects.count() == 1
    assert kiosk.register(unit(2), "李四").status == 201, "somebody else may be"


def test_of_two_registrations_at_once_one_waits_and_finds_the_other(
    kiosk: Kiosk, opened: Rooms, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, late = opened.room(gallery), kiosk.application(unit(1), "李四")

    class AfterAnother:
        """What waiting at the lock comes to: it is had once the other one is through."""

        lock = room.registering

        def acquire(self, timeout: float) -> bool:
            monkeypatch.setattr(room, "registering", self.lock)
            assert kiosk.register(unit(1), "张三").status == 201
            return self.lock.acquire(timeout=timeout)

        def release(self) -> None:
            raise AssertionError

    monkeypatch.setattr(room, "registering", AfterAnother())
    assert kiosk.apply(late).code == "galleries.person_known"
    assert [row.name for row in Member.objects.all()] == ["张三"]


def test_a_registration_waits_neither_for_a_rotation_nor_for_another_one_for_long(
    kiosk: Kiosk, opened: Rooms, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few threads serve the site: each that waited as long as a rotation takes would be missing everywhere."""
    monkeypatch.setattr(registering, "PATIENCE_S", 0.05)
    room = opened.room(gallery)
    assert kiosk.register(unit(1), "张三").status == 201, "who waits to be packed, when the next one comes"
    held, over = Event(), Event()

    def elsewhere(work: AbstractContextManager[object]) -> Thread:
        def hold() -> None:
            with work:
                held.set()
                over.wait()

        held.clear()
        over.clear()
        thread = Thread(target=hold, daemon=True)
        thread.start()
        assert held.wait(30)
        return thread

    for work in (room.gallery._alone(), room.registering):  # as a rotation does; as a registration does
        thread = elsewhere(work)
        refused = [kiosk.register(unit(seed), "李四") for seed in (2, 3)]
        over.set()
        thread.join(30)
        assert [(answer.status, answer.code) for answer in refused] == [(503, "galleries.busy")] * 2
        assert [row.name for row in Member.objects.all()] == ["张三"]
    assert Registration.objects.count() == 1
    assert kiosk.register(unit(2), "李四").status == 201


def test_who_is_like_several_is_not_registered(kiosk: Kiosk, keeper: Keeper, visitor: Callable[[int], Visitor]) -> None:
    """Somebody registered at a kiosk, who joined with an account later: then both are found, and lie apart."""
    guest = visitor(1)
    assert kiosk.register(guest.face, "张三").status == 201
    gallery = Gallery.objects.get()
    assert guest.join(gallery).status == 201
    answer = kiosk.register(guest.face, "李四")
    assert (answer.status, answer.code) == (409, "galleries.person_ambiguous")
    assert Member.objects.count() == 2
    assert {block.kind: block.members.count() for block in Block.objects.all()} == {"account": 1, "kiosk": 1}


def test_somebody_is_replaced_and_keeps_their_id(
    kiosk: Kiosk, keeper: Keeper, visitor: Callable[[int], Visitor]
) -> None:
    made = kiosk.register(unit(1), "张三").json
    later = near(unit(1), cosine=0.7)
    other = kiosk.register(unit(2), "李四").json
    assert kiosk.register(later, "张三", replaces=other["id"]).code == "galleries.person_known"
    answer = kiosk.register(later, "张三丰", replaces=made["id"])
    assert answer.status == 201, answer.body
    assert (answer.json["id"], answer.json["name"]) == (made["id"], "张三丰")
    keeper.round()
    assert kiosk.names(later) == ["张三丰"]
    assert Registration.objects.count() == 2
    assert kiosk.register(unit(3), "王五", replaces="0" * 32).status == 404
    guest = visitor(3)
    assert guest.join(Gallery.objects.get()).status == 201
    account = kiosk.send("GET", "/kiosk/people").json["people"][-1]
    assert kiosk.register(guest.face, "王五", replaces=account["id"]).code == "galleries.person_has_account"
    assert Member.objects.count() == 3


def test_a_kiosk_that_shows_another_face_than_it_registers_is_refused(kiosk: Kiosk, keeper: Keeper) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    for registered, searched in (
        (unit(1), unit(2)),
        (unit(1), near(unit(1), cosine=0.3)),
        (unit(2), near(unit(2), cosine=0.95)),  # one person's pictures, and still not one embedding
    ):
        answer = kiosk.apply(kiosk.application(registered, "李四", searched=searched))
        assert (answer.status, answer.code) == (422, "galleries.person_not_accepted")
    assert [row.name for row in Member.objects.all()] == ["张三"]


def test_a_search_serves_one_registration_and_not_for_long(kiosk: Kiosk, keeper: Keeper) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    message = kiosk.message("identify", unit(2))
    old = message.with_header(issued_ms=message.header.issued_ms - 600_000)
    spent = kiosk.sealed(kiosk.message("identify", unit(2)))
    assert kiosk.octets("/kiosk/searches", spent).json["outcome"] == "nobody"

    def refused(probe: bytes) -> str:
        return kiosk.apply(name_field("李四") + probe + kiosk.sealed(kiosk.message("register", unit(2)))).code

    assert refused(spent) == "keyholder.challenge_replayed"
    assert refused(kiosk.sealed(old)) == "server.stale_message"
    assert refused(kiosk.sealed(message.with_header(challenge=bytes(32)))) == "keyholder.challenge_forged"
    assert refused(Kiosk(kiosk.transport).sealed(message)) == "protect.bad_signature"
    assert [row.name for row in Member.objects.all()] == ["张三"]


@pytest.mark.parametrize("field", [b"\xa1" + bytes(160), b"\1" + b"ab".ljust(160, b"\0"), b"\2" + b"\xff".ljust(160)])
def test_a_name_that_is_none_is_refused(field: bytes, kiosk: Kiosk) -> None:
    answer = kiosk.apply(field + bytes(2 * 74_048))
    assert (answer.status, answer.code) == (400, "galleries.name_unreadable")
    assert Member.objects.count() == 0


def test_all_are_deleted_by_the_gallerys_name_but_nobody_with_an_account(
    kiosk: Kiosk, keeper: Keeper, gallery: Gallery, visitor: Callable[[int], Visitor]
) -> None:
    guest = visitor(3)
    assert guest.join(gallery).status == 201
    for seed in (1, 2):
        assert kiosk.register(unit(seed), f"访客{seed}").status == 201
    keeper.round()
    refused = kiosk.send("DELETE", "/kiosk/people", {"confirm": "后台"})
    assert (refused.code, Member.objects.count()) == ("galleries.name_not_repeated", 3)
    listed = kiosk.send("GET", "/kiosk/people").json["people"]
    assert [person["kind"] for person in listed] == ["account", "kiosk", "kiosk"]
    assert kiosk.send("DELETE", f"/kiosk/people/{listed[0]['id']}").code == "galleries.person_has_account"
    assert kiosk.send("PATCH", f"/kiosk/people/{listed[0]['id']}", {"name": "x"}).status == 409
    assert kiosk.send("DELETE", "/kiosk/people", {"confirm": "前台"}).json == {"removed": 2}
    assert [kiosk.names(unit(seed)) for seed in (1, 2, 3)] == [[], [], ["测试者"]]


@pytest.mark.parametrize("allowed", [True, False])
def test_nothing_is_registered_without_leave_and_consent(kiosk: Kiosk, gallery: Gallery, *, allowed: bool) -> None:
    Gallery.objects.update(may_register=allowed)
    answer = kiosk.register(unit(1), "张三", consent=not allowed)
    assert answer.code == ("galleries.consent_missing" if allowed else "galleries.registering_off")
    assert Member.objects.count() == 0


def test_a_template_that_is_none_is_not_registered(kiosk: Kiosk) -> None:
    message = kiosk.message("register", unit(1))
    bent = message.with_body(message.body[:36_864] * 2)
    probe = kiosk.sealed(kiosk.message("identify", unit(1)))
    answer = kiosk.apply(name_field("Z") + probe + kiosk.sealed(bent))
    assert (answer.status, answer.code) == (422, "galleries.person_not_accepted")
    assert Member.objects.count() == 0


def test_people_are_listed_page_by_page(kiosk: Kiosk, gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veilface.server.galleries.people.PAGE", 2)
    Member.objects.bulk_create(Member(gallery=gallery, name=str(number)) for number in range(5))
    names, after = list[str](), ""
    while True:
        page = granted(kiosk.send("GET", f"/kiosk/people{after}")).json
        names += [person["name"] for person in page["people"]]
        if page["next"] is None:
            break
        after = f"?after={page['next']}"
    assert names == ["0", "1", "2", "3", "4"]
    Member.objects.create(gallery=gallery, name="王小明")
    found = granted(kiosk.send("POST", "/kiosk/people/by-name", {"name": "小"})).json
    assert ([person["name"] for person in found["people"]], found["next"]) == (["王小明"], None)


def test_a_kiosk_of_another_gallery_sees_nobody_of_this_one(kiosk: Kiosk, keeper: Keeper) -> None:
    made = kiosk.register(unit(1), "张三").json
    other = Kiosk(SiteTransport())
    assert other.join(operating.invite(operating.create(name="后台", purpose="员工", may_register=True))).status == 201
    keeper.round()
    assert other.names(unit(1)) == []
    assert other.send("DELETE", f"/kiosk/people/{made['id']}").status == 404
    message = kiosk.message("identify", unit(1))
    theirs = replace(message.header, account_id=other.gallery, device_id=other.device_id)
    assert other.octets("/kiosk/searches", other.sealed(Message(theirs, message.body))).status == 400
    assert kiosk.names(unit(1)) == ["张三"]


def test_a_kiosk_that_waits_sees_and_changes_nobody(gallery: Gallery, kiosk: Kiosk) -> None:
    made = kiosk.register(unit(1), "张三").json
    waiting = Kiosk(SiteTransport())
    assert waiting.join(operating.invite(gallery)).status == 201
    assert waiting.send("GET", "/kiosk").json["state"] == "pending"
    person, message = f"/kiosk/people/{made['id']}", bytes(74_048)
    answers = [
        waiting.send("POST", "/kiosk/challenges", {"type": "identify", "count": 4}),
        waiting.octets("/kiosk/searches", message),
        waiting.send("GET", "/kiosk/people"),
        waiting.send("POST", "/kiosk/people/by-name", {"name": "张"}),
        waiting.apply(name_field("Z") + 2 * message),
        waiting.send("PATCH", person, {"name": "李四"}),
        waiting.send("DELETE", person),
        waiting.send("DELETE", "/kiosk/people", {"confirm": "前台"}),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(403, "galleries.kiosk_waits")] * 8
    assert [row.name for row in Member.objects.all()] == ["张三"]
    KioskRow.objects.filter(state="pending").update(active_from=timezone.now())
    assert [one["name"] for one in waiting.send("GET", "/kiosk/people").json["people"]] == ["张三"]
