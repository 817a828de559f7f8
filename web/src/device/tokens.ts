/**
 * Where the secrets of keyed protections are: one an enrolment, on this device only, sealed.
 *
 * A token is written before its enrolment is sent and goes only when a later one is known to be the account's, so that
 * no failure in between leaves a template without its token.
 *
 * That the server says there is no template is no reason to forget its token: a server that lies would so lock the
 * person out for good, while a token that is kept opens nothing without the template. So tokens go with a checked
 * receipt of a deletion or of a later acceptance, or with the account, and one whose deletion was answered elsewhere
 * stays until then.
 */
import { freshToken } from '@/protect'
import { DeviceError } from './errors'
import { store } from './store'
import { seal, unseal } from './vault'

type Bytes = Uint8Array<ArrayBuffer>

/** Asks the browser not to clear this site's data by itself; where it refuses, tokens are kept as well as it can. */
export function askToStay(): void {
  if ('storage' in navigator) navigator.storage.persist().catch(() => undefined)
}

/**
 * Makes the token of a new epoch and keeps it; on return it is on the disk.
 * @throws DeviceError certificate_invalid for an epoch that has one: whoever offers it again would have it overwritten
 */
export async function makeToken(account: string, epoch: number): Promise<Bytes> {
  const token = freshToken()
  const sealed = await seal(token, label(account, epoch))
  const transaction = (await store()).transaction('tokens', 'readwrite', { durability: 'strict' })
  const kept = (await transaction.store.count([account, epoch])) > 0
  if (!kept) await transaction.store.add(sealed, [account, epoch])
  await transaction.done
  if (kept) throw new DeviceError('certificate_invalid', { check: 'epoch' })
  return token
}

/** The token of this epoch, or null where another device has it. The caller wipes it. */
export async function tokenOf(account: string, epoch: number): Promise<Bytes | null> {
  const sealed = await (await store()).get('tokens', [account, epoch])
  return sealed ? unseal(sealed, label(account, epoch)) : null
}

/** Whether this device has the token of this epoch. */
export async function hasToken(account: string, epoch: number): Promise<boolean> {
  return (await (await store()).count('tokens', IDBKeyRange.only([account, epoch]))) > 0
}

/** `epoch` is the account's: the tokens of all epochs before it are of no more use. */
export async function dropTokensBefore(account: string, epoch: number): Promise<void> {
  await (await store()).delete('tokens', IDBKeyRange.bound([account, 0], [account, epoch], false, true))
}

/** Takes every token of `account` off this device. */
export async function forgetTokens(account: string): Promise<void> {
  await dropTokensBefore(account, Number.MAX_SAFE_INTEGER)
}

function label(account: string, epoch: number): string {
  return `token:${account}:${epoch}`
}
