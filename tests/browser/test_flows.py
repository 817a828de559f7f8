"""What a person does with their face, in a real Chromium against real servers."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit, machine_in
from tests.browser.site import PASSWORD, PATIENCE_MS, Person, words
from tests.processes import Machine
from veilface.protect.scheme import protection

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# What the information page shows beside the face and its features, by protection.
PICTURES = {"homomorphic": ["words"], "ranking": ["ranks"], "negative": ["records", "counts"]}


@pytest.mark.parametrize("scheme", PICTURES)
def test_a_face_from_enrolment_to_deletion(site: Machine, visit: Visit, username: str, scheme: str) -> None:
    person = visit(site)
    person.register(username)
    person.enrol(scheme)
    person.shot("1-done")
    assert [len(body) for body in person.traffic.to("/enrolments")] == [320 + protection(scheme).template_bytes]

    person.go("/me")
    for key in ("crop", "embedding", *PICTURES[scheme]):
        expect(person.page.get_by_role("img", name=words(f"me.data.{key}"), exact=True)).to_be_visible()
    person.shot("2-my-data")
    for flip in person.page.get_by_role("button", name=words("me.data.asNumbers")).all()[::-1]:
        flip.click()
    person.shot("3-as-numbers")
    assert person.recognise() == "accepted"
    person.see(words("recognise.protection", name=words(f"data.scheme.{scheme}.name")))
    person.shot("4-accepted")
    person.traffic.assert_no_picture()

    person = visit(site, "obama again")
    assert person.recognise() == "accepted"
    person = visit(site, "biden")
    assert person.recognise() == "not_accepted"
    person.shot("5-not-accepted")

    person = visit(site, "obama again")
    refuse_renewal(person, scheme)
    assert person.recognise() == "accepted"
    (probe,) = person.traffic.to("/verifications")
    person.renew(scheme)
    assert person.recognise() == "accepted"
    assert_renewed(person, scheme, probe)

    person.go("/me")
    person.press(words("me.delete.action"))
    person.shot("6-delete")
    person.page.get_by_role("dialog").get_by_role("button", name=words("me.delete.confirm")).click()
    person.see(words("me.receipt.title"))
    person.see(words("recognise.empty.title"))
    person.shot("7-deleted")
    person.go("/recognise")
    person.see(words("recognise.empty.title"))


def refuse_renewal(person: Person, scheme: str) -> None:
    """A wrong password opens no camera and changes nothing."""
    person.begin_renewal(scheme, "not the password")
    person.see(words("enrol.before.renewal.wrong"))
    expect(person.page.locator("video")).to_have_count(0)
    person.shot("refused-renewal")


def assert_renewed(person: Person, scheme: str, probe: bytes) -> None:
    """The key epoch is a new one; the probe of the old one is refused, and its token is gone."""
    person.go("/me")
    expect(person.page.locator("dt", has_text=words("me.template.epoch")).locator("+ dd")).not_to_have_text("1")
    status = person.page.evaluate(
        """async (probe) => {
          const [, token] = /veilface_csrf=([^;]+)/.exec(document.cookie)
          const headers = { 'Content-Type': 'application/octet-stream', 'X-CSRFToken': token }
          const request = { method: 'POST', headers, body: Uint8Array.from(probe) }
          return (await fetch('/api/v1/verifications', request)).status
        }""",
        list(probe),
    )
    assert 400 <= status < 500
    epoch = int(person.page.locator("dt", has_text=words("me.template.epoch")).locator("+ dd").inner_text())
    assert tokens(person) == ({epoch} if protection(scheme).token_bytes else set())


def tokens(person: Person) -> set[int]:
    """The epochs whose token this browser keeps."""
    return set(
        person.page.evaluate(
            """() => new Promise((done) => {
              const opening = indexedDB.open('veilface-device')
              opening.onsuccess = () => {
                const asking = opening.result.transaction('tokens').objectStore('tokens').getAllKeys()
                asking.onsuccess = () => {
                  opening.result.close()
                  done(asking.result.map(([, epoch]) => epoch))
                }
              }
            })"""
        )
    )


def test_without_the_key_holder_nothing_is_decided_and_nothing_lost(
    tmp_path_factory: pytest.TempPathFactory, visit: Visit, username: str
) -> None:
    with machine_in(tmp_path_factory.mktemp("fragile")) as machine, machine.server():
        with machine.keyholder():
            person = visit(machine)
            person.register(username)
            person.enrol()
        person.go("/recognise")
        person.see(words("recognise.failed"))
        person.shot("keyholder-down")
        assert person.traffic.to("/verifications") == []
        person.go("/me")
        person.see(words("me.data.words"))
        with machine.keyholder():
            assert person.recognise() == "accepted"


def test_a_renewal_that_is_not_finished_leaves_the_old_template_working(
    site: Machine, visit: Visit, username: str
) -> None:
    person = visit(site)
    person.register(username)
    person.enrol()
    person.begin_renewal()
    expect(person.page.locator("video")).to_be_visible()
    person.page.get_by_role("banner").get_by_role("link", name="Veilface").click()
    person.page.wait_for_url("**/")
    assert_the_first_template_works(person)


@pytest.mark.parametrize("scheme", ["homomorphic", "ranking"])  # a key to lose, and a token
def test_a_renewal_that_fails_leaves_the_old_template_working(
    tmp_path_factory: pytest.TempPathFactory, visit: Visit, username: str, scheme: str
) -> None:
    with machine_in(tmp_path_factory.mktemp("renewal")) as machine, machine.server():
        with machine.keyholder():
            person = visit(machine)
            person.register(username)
            person.enrol(scheme)
            person.page.route("**/api/v1/enrolments", spoil)
            fail_renewal(person, scheme)
            person.shot("refused")
            person.page.unroute("**/api/v1/enrolments")
            assert_the_first_template_works(person)

            person.begin_renewal(scheme)
            person.see(words("enrol.title.review"))
        person.press(words("enrol.review.renew"))
        person.see(words("enrol.failedRenewal"))
        person.shot("keyholder-down")
        with machine.keyholder():
            assert_the_first_template_works(person)


def fail_renewal(person: Person, scheme: str) -> None:
    """Go all the way, to be told that nothing was replaced."""
    person.begin_renewal(scheme)
    person.see(words("enrol.title.review"))
    person.press(words("enrol.review.renew"))
    person.see(words("enrol.failedRenewal"))


def spoil(route: Route) -> None:
    """Send another last byte than the one that was signed, which the server refuses."""
    body = route.request.post_data_buffer or b""
    route.continue_(post_data=body[:-1] + bytes([body[-1] ^ 1]))


def assert_the_first_template_works(person: Person) -> None:
    """The person is recognised, nothing alarms the device, and no other template was made."""
    assert person.recognise() == "accepted"
    person.go("/me")
    expect(person.page.locator("dt", has_text=words("me.template.epoch")).locator("+ dd")).to_have_text("1")
    expect(person.page.get_by_text(words("device.alarm.seen"))).to_have_count(0)


def test_another_key_holder_is_refused_until_the_person_has_compared(
    site: Machine, visit: Visit, username: str
) -> None:
    person = visit(site)
    person.register(username)
    person.enrol()
    person.page.evaluate(
        """() => new Promise((done) => {
          const opening = indexedDB.open('veilface-device')
          opening.onsuccess = () => {
            const writing = opening.result.transaction('pins', 'readwrite')
            writing.objectStore('pins').put({ publicKey: new Uint8Array(65).fill(4), since: 0 }, location.origin)
            writing.oncomplete = done
          }
        })"""
    )
    person.go("/recognise")
    person.see(words("device.changed.title"))
    trust = person.page.get_by_role("button", name=words("device.changed.trust"))
    expect(trust).to_be_disabled()
    person.shot("changed")
    assert person.traffic.to("/verifications") == []
    person.page.get_by_role("checkbox").check()
    trust.click()
    expect(person.page.locator("[data-outcome=accepted]")).to_be_visible(timeout=PATIENCE_MS)


def test_a_further_device_waits_until_it_is_approved(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site)
    person.register(username)
    person.enrol()

    person = visit(site, profile="second")
    log_in(person, username)
    person.go("/recognise")
    person.see(words("device.pending.title"))
    code = person.page.locator(".code strong").inner_text()
    person.shot("waiting")

    person = visit(site)
    person.go("/me")
    person.press(words("me.devices.approve.action"))
    dialog = person.page.get_by_role("dialog")
    expect(dialog).to_contain_text(code)
    person.shot("approving")
    dialog.get_by_role("button", name=words("me.devices.approve.confirm")).click()
    expect(dialog).to_be_hidden()

    person = visit(site, profile="second")
    assert person.recognise() == "accepted"
    person = visit(site)
    assert person.recognise() == "accepted"
    person.see(words("device.alarm.title", count=1))
    person.shot("alarm")


def test_a_keyed_protection_lives_on_one_device(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site)
    person.register(username)
    person.enrol("ranking")

    person = visit(site, profile="second")
    log_in(person, username)
    for path in ("/recognise", "/me"):
        person.go(path)
        person.see(words("device.elsewhere.title"))
        person.shot(f"elsewhere-{path[1:]}")
    assert person.traffic.to("/verifications") == []
    person.begin_renewal("ranking")
    person.see(words("device.pending.title"))

    person = visit(site)
    person.go("/me")
    person.press(words("me.devices.approve.action"))
    person.page.get_by_role("dialog").get_by_role("button", name=words("me.devices.approve.confirm")).click()
    expect(person.page.get_by_role("dialog")).to_be_hidden()

    person = visit(site, profile="second")
    person.renew("ranking")
    assert person.recognise() == "accepted"

    person = visit(site)
    person.go("/recognise")
    person.see(words("device.elsewhere.title"))
    person.renew("homomorphic")
    assert person.recognise() == "accepted"
    person = visit(site, profile="second")
    assert person.recognise() == "accepted"


def log_in(person: Person, username: str) -> None:
    """Log in with the password on a browser that has never been here."""
    person.go("/login")
    person.page.get_by_label(words("account.username"), exact=True).fill(username)
    person.page.get_by_label(words("account.password"), exact=True).fill(PASSWORD)
    person.press(words("nav.login"))
    person.page.wait_for_url(re.compile("/me|/enrol"))
