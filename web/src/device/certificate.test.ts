import 'fake-indexeddb/auto'
import { describe, expect, it, vi } from 'vitest'
import type { Challenge } from '@/api'
import { toBase64url } from '@/api/bytes'
import { KeyCert, KeyPurpose, SCHEMES } from '@/protect'
import { failed, firstWrong, pinKey } from './certificate'
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
  it('stays what it was on a certificate alone', async () => {
    await openTicket('verify')
    await openTicket('enrol')
    expect(await recall(ACCOUNT)).toMatchObject({ epoch: 0, keyFp: null })
  })

  it('never becomes an older one', async () => {
    await pinKey(ACCOUNT, challenge(3))
    await pinKey(ACCOUNT, challenge(2))
    expect((await recall(ACCOUNT)).epoch).toBe(3)
  })
})

describe('the epoch of a certificate', () => {
  it.each([
    ['enrol', 2, null],
    ['enrol', 1, 'epoch'],
    ['verify', 1, null],
    ['verify', 0, 'epoch'],
  ] as const)('for %s %i after 1: %s', (use, epoch, wrong) => {
    const subjectId = new Uint8Array(16)
    const fingerprint = new Uint8Array(32).fill(epoch)
    const cert = { purpose: KeyPurpose.ACCOUNT, subjectId, epoch, notBefore: 0, notAfter: 0, keyFp: fingerprint }
    const memory = { keyFp: '01'.repeat(32), epoch: 1, decisions: 1, unanswered: 0, alarm: null, scheme: null }
    expect(firstWrong({ cert, use, accountId: subjectId, fingerprint, memory, now: 0 })).toBe(wrong)
  })
})

describe('dates that do not fit', () => {
  it.each([
    [0, 'certificate_invalid'],
    [4 * 60_000, 'certificate_invalid'],
    [6 * 60_000, 'clock_wrong'],
    [-6 * 60_000, 'clock_wrong'],
  ])('with the clocks %i ms apart: %s', (apart, code) => {
    expect(failed('dates', Date.now() + apart)).toMatchObject({ code })
  })

  it('are the clock’s fault only where it is the dates that fail', () => {
    expect(failed('subject', 0)).toMatchObject({ code: 'certificate_invalid', details: { check: 'subject' } })
  })
})
