/**
 * The secret of a keyed protection: 32 random bytes for one person and one enrolment (src/veilface/protect/token.py).
 *
 * Made on this device, kept sealed, never sent, never derived from a PIN, never shared by two people.
 */
import type { Bytes } from './bytes'
import { refused } from './errors'

export const TOKEN_BYTES = 32
const LEAST_DIFFERENT_BYTES = 8

/** 32 bytes from the browser's generator. */
export function freshToken(): Bytes {
  return crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))
}

/** Gives `token` back; throws `ProtectError` for another length or bytes nobody drew at random. */
export function checkToken(token: Bytes): Bytes {
  if (token.length !== TOKEN_BYTES || new Set(token).size < LEAST_DIFFERENT_BYTES)
    throw refused('unusable_token', `${token.length} B`, `${TOKEN_BYTES} random bytes`)
  return token
}

/** HKDF-SHA256 (RFC 5869) of a checked token; at most 8,160 bytes. */
export async function expand(token: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', checkToken(token), 'HKDF', false, ['deriveBits'])
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 8 * length))
}
