/** What makes this browser a kiosk: its key, never extractable, its token, and what it has come to know. */
import type { DBSchema } from 'idb'
import type { Hex } from '@/api'
import { opener } from '@/database'

type Bytes = Uint8Array<ArrayBuffer>

export interface KioskMemory {
  readonly gallery: Hex
  readonly galleryName: string
  /** 16 bytes; the key is 65. */
  readonly id: Bytes
  /** Missing where it joined by the first version, which kept the private one alone. */
  readonly publicKey?: Bytes
  readonly privateKey: CryptoKey
  readonly token: string
  /** Pinned when it joined: the key holder's key (65 bytes), the fingerprint of the gallery's key. */
  readonly keyHolder: Bytes
  readonly keyFp: Hex
}

/** With what this browser asks to be let in by an operator's code, until it is. */
export type Joining = Required<Pick<KioskMemory, 'id' | 'publicKey' | 'privateKey' | 'token'>> & { readonly code: string }

interface Schema extends DBSchema {
  kiosk: { key: 'this'; value: KioskMemory }
  joining: { key: 'this'; value: Joining }
}

const NAME = 'veilface-kiosk'
const VERSION = 2

const database = opener<Schema>(NAME, VERSION, (made, before) => {
  if (before < 1) made.createObjectStore('kiosk')
  made.createObjectStore('joining')
})

/** What this browser is a kiosk of, or null. */
export async function recallKiosk(): Promise<KioskMemory | null> {
  return (await (await database()).get('kiosk', 'this')) ?? null
}

export async function rememberKiosk(memory: KioskMemory): Promise<void> {
  const change = (await database()).transaction(['kiosk', 'joining'], 'readwrite')
  await Promise.all([
    change.objectStore('kiosk').put(memory, 'this'),
    change.objectStore('joining').delete('this'),
    change.done,
  ])
}

/** What was being asked with when it was cut off, or null. */
export async function recallJoining(): Promise<Joining | null> {
  return (await (await database()).get('joining', 'this')) ?? null
}

export async function rememberJoining(joining: Joining): Promise<void> {
  await (await database()).put('joining', joining, 'this')
}

/** This browser is no kiosk any more; its key is gone for good. */
export async function forgetKiosk(): Promise<void> {
  await (await database()).delete('kiosk', 'this')
}
