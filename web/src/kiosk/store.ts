/** What makes this browser a kiosk: its key, never extractable, its token, and what it has come to know. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Hex } from '@/api'

type Bytes = Uint8Array<ArrayBuffer>

export interface KioskMemory {
  readonly gallery: Hex
  readonly galleryName: string
  /** 16 bytes. */
  readonly id: Bytes
  readonly privateKey: CryptoKey
  readonly token: string
  /** Pinned when it joined: the key holder's key (65 bytes), the fingerprint of the gallery's key. */
  readonly keyHolder: Bytes
  readonly keyFp: Hex
}

interface Schema extends DBSchema {
  kiosk: { key: 'this'; value: KioskMemory }
}

const NAME = 'veilface-kiosk'
const VERSION = 1

let opened: Promise<IDBPDatabase<Schema>> | undefined

/** What this browser is a kiosk of, or null. */
export async function recallKiosk(): Promise<KioskMemory | null> {
  return (await (await database()).get('kiosk', 'this')) ?? null
}

export async function rememberKiosk(memory: KioskMemory): Promise<void> {
  await (await database()).put('kiosk', memory, 'this')
}

/** This browser is no kiosk any more; its key is gone for good. */
export async function forgetKiosk(): Promise<void> {
  await (await database()).delete('kiosk', 'this')
}

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(NAME, VERSION, {
    upgrade(made) {
      made.createObjectStore('kiosk')
    },
    terminated() {
      opened = undefined
    },
  }).catch((error: unknown) => {
    opened = undefined
    throw error
  })
  return opened
}
