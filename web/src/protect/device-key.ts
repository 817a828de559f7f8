/** The key that makes a browser a device of an account: P-256, made here, never extractable. */
import type { DBSchema } from 'idb'
import { opener } from '@/database'
import type { Bytes } from './bytes'

export interface DeviceKey {
  /** 16 bytes, made with the key. */
  readonly id: Bytes
  /** The uncompressed point, 65 bytes. */
  readonly publicKey: Bytes
  readonly privateKey: CryptoKey
}

interface Schema extends DBSchema {
  keys: { key: string; value: DeviceKey }
}

const NAME = 'veilface-device-keys'
const VERSION = 1
const ID_BYTES = 16
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const

const keys = opener<Schema>(NAME, VERSION, (database) => {
  database.createObjectStore('keys')
})

/** This browser's key for `account`, made on first use; two tabs that ask at once get the same one. */
export async function deviceKey(account: string): Promise<DeviceKey> {
  const database = await keys()
  const kept = await database.get('keys', account)
  if (kept) return kept
  const made = await makeKey()
  const transaction = database.transaction('keys', 'readwrite')
  const other = await transaction.store.get(account)
  if (!other) await transaction.store.put(made, account)
  await transaction.done
  return other ?? made
}

/** Forgets this browser's key for `account`; it cannot be had back. */
export async function forgetDeviceKey(account: string): Promise<void> {
  await (await keys()).delete('keys', account)
}

async function makeKey(): Promise<DeviceKey> {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(P256, false, ['sign', 'verify'])
  return {
    id: crypto.getRandomValues(new Uint8Array(ID_BYTES)),
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)),
    privateKey,
  }
}
