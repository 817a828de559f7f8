import { store, type Sealed } from './store'

const VAULT = 'vault'
const ALGORITHM = 'AES-GCM'
const IV_BYTES = 12

/** The key of the vault: made here, never extractable, gone with this browser's data. */
async function vaultKey(): Promise<CryptoKey> {
  const database = await store()
  const kept = await database.get('secrets', VAULT)
  if (kept) return kept
  const made = await crypto.subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt'])
  const transaction = database.transaction('secrets', 'readwrite')
  const other = await transaction.store.get(VAULT)
  if (!other) await transaction.store.put(made, VAULT)
  await transaction.done
  return other ?? made
}

/** Encrypts `bytes` so that only this browser opens them, and only as `label`. */
export async function seal(bytes: Uint8Array<ArrayBuffer>, label: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await crypto.subtle.encrypt(parameters(iv, label), await vaultKey(), bytes)
  return { iv, bytes: sealed }
}

/** Opens what `seal` made with the same `label`; rejects on anything else. */
export async function unseal(sealed: Sealed, label: string): Promise<Uint8Array<ArrayBuffer>> {
  const opened = await crypto.subtle.decrypt(parameters(sealed.iv, label), await vaultKey(), sealed.bytes)
  return new Uint8Array(opened)
}

function parameters(iv: Uint8Array<ArrayBuffer>, label: string): AesGcmParams {
  return { name: ALGORITHM, iv, additionalData: new TextEncoder().encode(label) }
}
