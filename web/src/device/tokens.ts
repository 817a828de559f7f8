/**
 * Where the secrets of keyed protections are: one an enrolment, on this device only, sealed.
 *
 * A token is written before its enrolment is sent and goes only when a later one is known to be the account's, so that
 * no failure in between leaves a template without its token.
 */
import { freshToken } from '@/protect'
import { store } from './store'
import { seal, unseal } from './vault'

type Bytes = Uint8Array<ArrayBuffer>

/** Makes the token of a new epoch and keeps it; on return it is on the disk. */
export async function makeToken(account: string, epoch: number): Promise<Bytes> {
  const token = freshToken()
  await (await store()).put('tokens', await seal(token, label(account, epoch)), [account, epoch])
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
