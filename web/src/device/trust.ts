import { DeviceError } from './errors'
import { store } from './store'

/**
 * Trust on first use: the first key holder a browser meets on a site is remembered, any other is refused.
 * @param publicKey 65 bytes, uncompressed P-256
 * @returns the pinned key, which is `publicKey`
 * @throws DeviceError keyholder_changed with both fingerprints
 */
export async function pinnedKeyHolder(
  publicKey: Uint8Array<ArrayBuffer>,
  site: string = location.origin,
): Promise<Uint8Array<ArrayBuffer>> {
  const database = await store()
  const pin = await database.get('pins', site)
  if (!pin) {
    await database.put('pins', { publicKey, since: Date.now() }, site)
    return publicKey
  }
  if (!sameBytes(pin.publicKey, publicKey)) {
    throw new DeviceError('keyholder_changed', {
      known: await fingerprint(pin.publicKey),
      offered: await fingerprint(publicKey),
    })
  }
  return pin.publicKey
}

/** The person compared the fingerprints and takes the new key holder for the real one. */
export async function trustKeyHolder(publicKey: Uint8Array<ArrayBuffer>, site: string = location.origin): Promise<void> {
  await (await store()).put('pins', { publicKey, since: Date.now() }, site)
}

/** SHA-256 in groups of four hex digits, for people to compare. */
export async function fingerprint(publicKey: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', publicKey))
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return (hex.match(/.{4}/g) ?? []).join(' ')
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
