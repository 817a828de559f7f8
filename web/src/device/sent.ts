/** Payments that were sent and have no answer yet, as this device keeps them. */
import { keysOf, store, type SentPayment } from './store'

/** What was sent and has no answer yet, null where there is nothing. */
export async function sentPayment(account: string): Promise<SentPayment | null> {
  return (await (await store()).get('payments', account)) ?? null
}

/** What was put aside without an answer. */
export async function asidePayments(account: string): Promise<SentPayment[]> {
  return (await store()).getAll('payments', keysOf(account))
}

/** On the disk before it is sent. */
export async function keepSent(account: string, kept: SentPayment): Promise<void> {
  const transaction = (await store()).transaction('payments', 'readwrite', { durability: 'strict' })
  await transaction.store.put(kept, account)
  await transaction.done
}

export async function forgetSent(account: string): Promise<void> {
  await (await store()).delete('payments', account)
}

/** Makes room for another payment; what was sent stays on record and may be asked about later. */
export async function putAside(account: string): Promise<void> {
  const transaction = (await store()).transaction('payments', 'readwrite', { durability: 'strict' })
  const kept = await transaction.store.get(account)
  if (kept) await transaction.store.put(kept, `${account}/${kept.order}`)
  await transaction.store.delete(account)
  await transaction.done
}

/** Puts one back in its place, to be asked about again; what is there goes aside in turn. */
export async function takeUp(account: string, order: string): Promise<void> {
  await putAside(account)
  const transaction = (await store()).transaction('payments', 'readwrite', { durability: 'strict' })
  const kept = await transaction.store.get(`${account}/${order}`)
  if (kept) await transaction.store.put(kept, account)
  await transaction.store.delete(`${account}/${order}`)
  await transaction.done
}
