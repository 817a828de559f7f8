import type { DBSchema } from 'idb'
import { opener } from '@/database'
import type { SchemeName } from '@/protect'

/** Bytes that only this browser can open again. */
export interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>
  readonly bytes: ArrayBuffer
}

/** The picture of the person and what was measured on it, as kept on this device. */
export interface SealedPicture {
  readonly photo: Sealed
  readonly crop: Sealed
  readonly embedding: Sealed
  readonly takenAt: number
  readonly shots: number
}

/** The key holder this browser has come to know, for one site. */
export interface Pin {
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly since: number
}

/** The key holder's count did not fit what this device asked for; kept until the person has seen it. */
export interface Alarm {
  readonly unexplained: number
  readonly rolledBack: boolean
  readonly at: number
}

/** What this device remembers of one account, so that it notices when the other side's story changes. */
export interface AccountMemory {
  /** Hex of the last pinned account key, and its epoch. */
  readonly keyFp: string | null
  readonly epoch: number
  /** The key holder's count of decisions in the last receipt, null before the first. */
  readonly decisions: number | null
  /** Requests sent whose answer has not arrived: each may or may not have been counted. */
  readonly unanswered: number
  readonly alarm: Alarm | null
  /** The protection that was last accepted here, null before the first. */
  readonly scheme: SchemeName | null
}

/** A payment that was signed and sent, until its answer is here. Sending the same again pays once. */
export interface SentPayment {
  readonly order: string
  /** The Idempotency-Key. */
  readonly key: string
  readonly envelope: Sealed
  readonly header: Uint8Array<ArrayBuffer>
  readonly templateHash: Uint8Array<ArrayBuffer>
  /** What the person agreed to. */
  readonly payee: string
  readonly amount: number
  readonly currency: string
  readonly exponent: number
}

/** The name of a request that moves money, from before it is sent until its answer is here. */
export interface KeptKey {
  /** The Idempotency-Key. */
  readonly key: string
  readonly since: number
}

/** Somebody who was logged in here, as the login page greets them. */
export interface RememberedPerson {
  /** User name and shown name. */
  readonly names: Sealed
  readonly lastSeen: number
}

interface Schema extends DBSchema {
  secrets: { key: string; value: CryptoKey }
  pictures: { key: string; value: SealedPicture }
  pins: { key: string; value: Pin }
  accounts: { key: string; value: AccountMemory }
  /** The secret of a keyed protection, by account and key epoch. */
  tokens: { key: [account: string, epoch: number]; value: Sealed }
  /** By account; what was put aside by account and order. */
  payments: { key: string; value: SentPayment }
  /** By account and what was asked for. */
  keys: { key: string; value: KeptKey }
  people: { key: string; value: RememberedPerson }
}

const NAME = 'veilface-device'
const VERSION = 4

/**
 * The one database of this device; opened once.
 * @throws DeviceError other_tabs while an older page of this site keeps it from being brought up to date
 */
export const store = opener<Schema>(NAME, VERSION, (database, before) => {
  if (before < 1)
    for (const name of ['secrets', 'pictures', 'pins', 'accounts'] as const) database.createObjectStore(name)
  if (before < 2) database.createObjectStore('tokens')
  if (before < 3) for (const name of ['payments', 'people'] as const) database.createObjectStore(name)
  database.createObjectStore('keys')
})

/** Every key that begins with the account's id, but not the id alone. */
export function keysOf(account: string): IDBKeyRange {
  return IDBKeyRange.bound(`${account}/`, `${account}/\uffff`)
}
