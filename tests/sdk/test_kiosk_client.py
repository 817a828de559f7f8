"""What a kiosk makes of answers that no server of ours gives."""

import httpx
import pytest

from veilface.sdk.errors import MalformedAnswer
from veilface.sdk.kiosk_client import KioskClient


def test_challenges_that_are_fewer_than_were_asked_for_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(_client: httpx.Client, request: httpx.Request, **_options: object) -> httpx.Response:
        return httpx.Response(200, json=[], request=request)

    monkeypatch.setattr(httpx.Client, "send", send)
    with KioskClient("http://127.0.0.1:9", token="vk_") as client, pytest.raises(MalformedAnswer):
        client.challenges("identify", 4)
