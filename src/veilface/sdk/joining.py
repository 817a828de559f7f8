"""How a folder becomes a device: log in for a token, make a key, prove its possession."""

import secrets
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec

from veilface.protect.envelope import Header, MessageType, device_context, public_point, sha256, sign_header
from veilface.sdk.answers import Site
from veilface.sdk.client import Client
from veilface.sdk.errors import TermsNotAccepted
from veilface.sdk.folder import Account, DeviceFolder, Pins
from veilface.sdk.trust import check_keyholder, check_origin, fingerprint


def open_account(
    folder: DeviceFolder,
    *,
    server: str,
    username: str,
    password: str,
    display_name: str,
    accept_terms: bool,
    device_name: str,
    keyholder_fingerprint: str | None,
) -> None:
    """Opens an account whose first device is ``folder``: its count of decisions is known to start at nothing."""
    folder.prepare()
    with Client(server) as client:
        site = trusted_site(client, server, keyholder_fingerprint)
        if not accept_terms:
            raise TermsNotAccepted(version=site.terms_version)
        client.register(
            username=username, display_name=display_name, password=password, terms_version=site.terms_version
        )
        account = _log_in(client, site, server, username=username, password=password, name=device_name)
    _become_device(folder, account, Pins(keyholder_key=site.keyholder_key.hex(), decisions=0), device_name)


def join_account(
    folder: DeviceFolder,
    *,
    server: str,
    username: str,
    password: str,
    device_name: str,
    keyholder_fingerprint: str | None,
) -> None:
    """Makes ``folder`` a further device of an account, or renews the token of one that it is already."""
    known = folder.account() if folder.exists() else None
    if known is not None and (known.server, known.username) == (server, username):
        _renew(folder, known, password=password, device_name=device_name)
        return
    folder.prepare()
    with Client(server) as client:
        site = trusted_site(client, server, keyholder_fingerprint)
        account = _log_in(client, site, server, username=username, password=password, name=device_name)
    _become_device(folder, account, Pins(keyholder_key=site.keyholder_key.hex()), device_name)


def _renew(folder: DeviceFolder, known: Account, *, password: str, device_name: str) -> None:
    with Client(known.server) as client:
        pinned = fingerprint(bytes.fromhex(folder.pins().keyholder_key))
        site = trusted_site(client, known.server, pinned)
        account = _log_in(client, site, known.server, username=known.username, password=password, name=device_name)
    folder.write_account(replace(account, device_id=known.device_id))


def trusted_site(client: Client, server: str, keyholder_fingerprint: str | None) -> Site:
    """What the server says of itself, once its address and – where one is given – its key holder's print are right."""
    site = client.site()
    check_origin(server=server, origin=site.origin)
    if keyholder_fingerprint is not None:
        check_keyholder(offered=site.keyholder_key, expected_fingerprint=keyholder_fingerprint)
    return site


def _log_in(client: Client, site: Site, server: str, *, username: str, password: str, name: str) -> Account:
    token = client.create_token(username=username, password=password, name=name)
    return Account(
        server=server,
        origin=site.origin,
        username=token.username,
        account_id=token.account_id,
        device_id=secrets.token_hex(16),
        token=token.token,
        binding=token.binding.hex(),
    )


def _become_device(folder: DeviceFolder, account: Account, pins: Pins, name: str) -> None:
    """Makes the device's key and has it registered; the folder counts as a device only when that worked."""
    key = ec.generate_private_key(ec.SECP256R1())
    folder.write_key(key)
    folder.write_pins(pins)
    public_key = public_point(key.public_key())
    with Client(account.server, token=account.token) as client:
        context = device_context(public_key, bytes.fromhex(account.device_id))
        grant = client.challenge(kind="device", device_id=account.device_id, context_hash=context)
        header = Header(
            type=MessageType.DEVICE,
            account_id=bytes.fromhex(account.account_id),
            device_id=bytes.fromhex(account.device_id),
            challenge=grant.challenge,
            issued_ms=grant.server_time_ms,
            context_hash=context,
            body_hash=sha256(b""),
        )
        client.register_device(
            name=name, header=header.to_bytes(), signature=sign_header(key, header), public_key=public_key
        )
    folder.write_account(account)
