import { store, type AccountMemory } from './store'

const BLANK: AccountMemory = { keyFp: null, epoch: 0, decisions: null, unanswered: 0, alarm: null, scheme: null }

/** What this device remembers of `account`; blank when they meet for the first time. */
export async function recall(account: string): Promise<AccountMemory> {
  return { ...BLANK, ...(await (await store()).get('accounts', account)) }
}

/** Changes what this device remembers, in one transaction, and returns the new memory. */
export async function remember(
  account: string,
  change: (memory: AccountMemory) => Partial<AccountMemory>,
): Promise<AccountMemory> {
  const transaction = (await store()).transaction('accounts', 'readwrite')
  const before = { ...BLANK, ...(await transaction.store.get(account)) }
  const after = { ...before, ...change(before) }
  await transaction.store.put(after, account)
  await transaction.done
  return after
}

/** The person has seen the alarm. */
export async function dismissAlarm(account: string): Promise<void> {
  await remember(account, () => ({ alarm: null }))
}
