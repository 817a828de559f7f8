import { api, type Device, type Hex } from '@/api'
import { fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'
import { deviceContext, MessageType, revocationContext, sha256 } from '@/protect'
import { deviceKey, forgetDeviceKey } from '@/protect/device-key'
import { DeviceError } from './errors'
import { asJson, askChallenge, sign } from './messages'
import { deviceName } from './name'
import { deviceId, self, type Self } from './self'

const CODE_DIGITS = 24

/**
 * This device as the account knows it, registered now if it is new. The first device of an account is active at once,
 * a further one after an approval or a day.
 * @throws DeviceError device_pending, device_revoked
 */
export async function ensureDevice(): Promise<Self> {
  const me = await self()
  const device = (await registered(me)) ?? (await register(me))
  if (device.state === 'pending') throw new DeviceError('device_pending', { active_from: device.active_from })
  if (device.state === 'revoked') throw new DeviceError('device_revoked')
  return me
}

/** This browser was removed from the account: it becomes a new device, which waits like any other. */
export async function becomeNewDevice(): Promise<void> {
  const { account } = await self()
  await forgetDeviceKey(account.id)
  await register(await self())
}

/** Lets a further device of the same person in, by this device's word for its key. */
export async function approveDevice(device: Device): Promise<Device> {
  const me = await ensureDevice()
  const context = await deviceContext(fromBase64url(device.public_key), fromHex(device.id))
  const grant = await askChallenge(me, 'approve', context)
  return api.approveDevice(device.id, asJson(await sign(me, MessageType.DEVICE, grant)))
}

/** Makes a device useless at once and for good, by this device's word; it may be this one. */
export async function revokeDevice(device: Device): Promise<Device> {
  const me = await ensureDevice()
  const grant = await askChallenge(me, 'revoke', await revocationContext(fromHex(device.id)))
  return api.revokeDevice(device.id, asJson(await sign(me, MessageType.REVOKE, grant)))
}

/**
 * Six groups of four hex digits that stand for a device's key, to be compared on two screens. A server may try as many
 * keys as it likes until one looks like the person's own: 96 bits are beyond it, 32 take minutes.
 */
export async function deviceCode(publicKey: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = toHex(await sha256(publicKey))
  return (digest.slice(0, CODE_DIGITS).match(/.{4}/g) ?? []).join(' ')
}

async function registered(me: Self): Promise<Device | undefined> {
  return (await api.devices()).find((device) => device.id === deviceId(me))
}

/** The new device signs for itself: it proves that it has the key. */
async function register(me: Self): Promise<Device> {
  const grant = await askChallenge(me, 'device', await deviceContext(me.key.publicKey, me.key.id))
  const signed = asJson(await sign(me, MessageType.DEVICE, grant))
  return api.registerDevice({ ...signed, name: deviceName(navigator.userAgent), public_key: toBase64url(me.key.publicKey) })
}

/** The code of this device, for the other screen. */
export async function thisDeviceCode(): Promise<string> {
  return deviceCode((await self()).key.publicKey)
}

/** The id under which this browser speaks for `account`. */
export async function thisDeviceId(account: Hex): Promise<Hex> {
  return toHex((await deviceKey(account)).id)
}
