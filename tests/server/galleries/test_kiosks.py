"""Kiosks: let in by a code, once; what they may do in their gallery, and what nobody else may."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.server.conftest import SiteTransport, Switchable
from tests.server.galleries.conftest import Visitor
from tests.server.galleries.kiosk import Kiosk
from tests.support import Message, granted, near, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.server.galleries import operating
from veilface.server.galleries.access import digest
from veilface.server.galleries.keeper import Keeper
from veilface.server.galleries.models import Gallery, Invitation, Member, Registration
from veilface.server.galleries.models import Kiosk as KioskRow

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


def test_a_code_is_good_again_when_the_key_holder_did_not_answer(gallery: Gallery, keyholder: Switchable) -> None:
    code, kiosk = operating.invite(gallery), Kiosk(SiteTransport())
    registration = kiosk.registration(code)
    keyholder.fails["register_device"] = KeyHolderUnavailable()
    assert kiosk.send("POST", "/kiosks", registration).status == 503
    keyholder.fails.clear()
    assert kiosk.send("POST", "/kiosks", registration).status == 201


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
    assert kiosk.send("DELETE", person).status == 404
    assert Registration.objects.count() == 0
    keeper.round()
    assert kiosk.names(unit(1)) == []


def test_the_same_registration_again_finds_the_same_person(kiosk: Kiosk) -> None:
    sealed = kiosk.sealed(kiosk.message("register", unit(1)))
    path = "/kiosk/people?name=Z&consent=true"
    assert kiosk.octets(path, sealed).json == kiosk.octets(path, sealed).json
    assert Member.objects.count() == 1


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
    answer = kiosk.octets("/kiosk/people?name=Z&consent=true", kiosk.sealed(bent))
    assert (answer.status, answer.code) == (422, "galleries.person_not_accepted")
    assert Member.objects.count() == 0


def test_people_are_listed_page_by_page(kiosk: Kiosk, gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veilface.server.galleries.registering.PAGE", 2)
    Member.objects.bulk_create(Member(gallery=gallery, name=str(number)) for number in range(5))
    names, after = list[str](), ""
    while True:
        page = granted(kiosk.send("GET", f"/kiosk/people{after}")).json
        names += [person["name"] for person in page["people"]]
        if page["next"] is None:
            break
        after = f"?after={page['next']}"
    assert names == ["0", "1", "2", "3", "4"]


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
        waiting.send("GET", "/kiosk/people"),
        waiting.octets("/kiosk/people?name=Z&consent=true", message),
        waiting.send("PATCH", person, {"name": "李四"}),
        waiting.send("DELETE", person),
        waiting.send("DELETE", "/kiosk/people", {"confirm": "前台"}),
    ]
    refused = "keyholder.device_not_active"
    assert [answer.code for answer in answers] == [refused] * 5
    assert [row.name for row in Member.objects.all()] == ["张三"]
    KioskRow.objects.filter(state="pending").update(active_from=timezone.now())
    assert [one["name"] for one in waiting.send("GET", "/kiosk/people").json["people"]] == ["张三"]
