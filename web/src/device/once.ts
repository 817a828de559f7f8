/** Requests that move money and whose answer may get lost: one key for one wish, until its answer is here. */
import { ApiError } from '@/api'
import { newKey } from '@/api/wallet'
import { store } from './store'

/** Less than the 48 hours for which the server knows a key; by then the books show what became of the request. */
const KEPT_MS = 47 * 3_600_000

/** Who refuses by judging what was asked, and never who asks. */
const JUDGES = ['wallet.', 'keyholder.', 'protect.']
const JUDGEMENTS = [
  'server.liveness_missing',
  'server.liveness_refused',
  'server.wrong_message',
  'server.stale_message',
  'server.context_mismatch',
  'server.challenge_unknown',
]
/** These do not say that nothing was moved: it is still under way, was done, or the key is another request's. */
const OPEN = ['wallet.still_working', 'wallet.order_paid', 'wallet.key_reused']
const TOO_MANY = 429

/**
 * Whether a refusal is the server's last word about the request itself: no money was moved by it, nor ever will be. A
 * refusal of whoever asked (logged out, another account, too often) says nothing of a request that was sent before, and
 * neither does a code that is not known here.
 */
export function decided({ status, code }: ApiError): boolean {
  if (status < 400 || status >= 500 || status === TOO_MANY || OPEN.includes(code)) return false
  return JUDGEMENTS.includes(code) || JUDGES.some((judge) => code.startsWith(judge))
}

export interface Once<T> {
  readonly answer: T
  /** It was asked for before, without an answer: both together are one. */
  readonly again: boolean
}

/**
 * Asks for what `wish` names, under the same key until there is an answer, also after a reload. `wish` begins with the
 * account's id and a slash, and is another for whatever differs in the request.
 */
export async function once<T>(wish: string, request: (key: string) => Promise<T>): Promise<Once<T>> {
  const { key, again } = await keyOf(wish)
  try {
    const answer = await request(key)
    await forget(wish)
    return { answer, again }
  } catch (error) {
    if (error instanceof ApiError && decided(error)) await forget(wish)
    throw error
  }
}

/** The kept key, or a new one, kept before it is used; two tabs get the same. */
async function keyOf(wish: string): Promise<{ key: string; again: boolean }> {
  const transaction = (await store()).transaction('keys', 'readwrite', { durability: 'strict' })
  const before = await transaction.store.get(wish)
  const kept = before && Date.now() - before.since < KEPT_MS ? before : { key: newKey(), since: Date.now() }
  await transaction.store.put(kept, wish)
  await transaction.done
  return { key: kept.key, again: kept === before }
}

async function forget(wish: string): Promise<void> {
  await (await store()).delete('keys', wish)
}
