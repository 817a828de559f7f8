import 'fake-indexeddb/auto'
import { describe, expect, it, vi } from 'vitest'
import type { Challenge } from '@/api'
import { toBase64url } from '@/api/bytes'
import { KeyCert, SCHEMES } from '@/protect'
import { pinKey } from './certificate'
import { openTicket } from './face'
import { recall } from './memory'

const ACCOUNT = 'a'.repeat(32)

vi.mock('./registration', () => ({ ensureDevice: () => Promise.resolve({ account: { id: ACCOUNT } }) }))
vi.mock('./engines', () => ({ templateProtector: () => Promise.resolve() }))
vi.mock('./messages', () => ({ askChallenge: (_: unknown, type: string) => Promise.resolve({ challenge: granted[type] }) }))
vi.mock('./certificate', async (original) => ({
  ...(await original<object>()),
  certifiedKey: () => Promise.resolve({ scheme: SCHEMES.homomorphic, epoch: 1, key: new Uint8Array(1) }),
}))
vi.mock('@/protect', async (original) => ({
  ...(await original<object>()),
  contextHash: () => Promise.resolve(new Uint8Array(32)),
}))

/** An unsigned certificate: who signed it is `certifiedKey`'s business. */
function challenge(epoch: number): Challenge {
  const bytes = new Uint8Array(KeyCert.BYTES)
  bytes.set([0x56, 0x46, 0x4b, 0x43, 1, 1])
  new DataView(bytes.buffer).setUint32(22, epoch)
  bytes.fill(epoch, 42, 74)
  return { key_cert: toBase64url(bytes) } as Challenge
}

const granted: Record<string, Challenge> = { verify: challenge(1), enrol: challenge(2) }

describe('pinned account key', () => {
  it('is the current one; an enrolment that goes no further leaves it', async () => {
    await openTicket('verify')
    await openTicket('enrol')
    expect(await recall(ACCOUNT)).toMatchObject({ epoch: 1, keyFp: '01'.repeat(32) })
  })

  it('never becomes an older one', async () => {
    await pinKey(ACCOUNT, challenge(3))
    await pinKey(ACCOUNT, challenge(2))
    expect((await recall(ACCOUNT)).epoch).toBe(3)
  })
})
