/** Keyed protections on the device: whose secret is where, and when. */
import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/api'
import { toHex } from '@/api/bytes'
import { deleteTemplate, enrol, openTicket, verify, type Enrolled } from '@/device/face'
import { recall } from '@/device/memory'
import { hasToken, tokenOf } from '@/device/tokens'
import { trustKeyHolder } from '@/device/trust'
import { KEYED, modelFingerprint, Outcome, type Protection, type SchemeName } from '@/protect'
import { FakeKeyHolder } from './keyHolder'

const session = { account: { id: '' }, binding: 'A'.repeat(43) }
const ignore = (): void => undefined
const embedding = (): Float32Array => Float32Array.from({ length: 128 }, (_, index) => Math.sin(index + 1) / 8)

async function keyed(kind: 'template' | 'probe', values: Float32Array, { scheme, key, token }: Protection) {
  return scheme === 'homomorphic' ? new Uint8Array(73_728) : KEYED[scheme][kind](values, { key, token })
}

vi.mock('@/device/engines', () => ({
  templateProtector: () =>
    Promise.resolve({
      protectTemplate: (values: Float32Array, protection: Protection) => keyed('template', values, protection),
      protectProbe: (values: Float32Array, protection: Protection) => keyed('probe', values, protection),
    }),
}))
vi.mock('@/stores/session', () => ({ knownSession: () => Promise.resolve(session) }))
vi.stubGlobal('location', new URL('http://localhost:8000/enrol'))

let keyHolder: FakeKeyHolder
/** What the server was sent. */
let sent: Uint8Array[]

beforeEach(async () => {
  vi.restoreAllMocks()
  keyHolder = await FakeKeyHolder.make()
  keyHolder.account = crypto.randomUUID().replaceAll('-', '')
  session.account.id = keyHolder.account
  Object.assign(api, keyHolder.api())
  sent = []
  for (const verb of ['enrol', 'verify'] as const) {
    const honest = api[verb] as (envelope: Uint8Array<ArrayBuffer>) => Promise<never>
    api[verb] = (envelope) => {
      sent.push(envelope)
      return honest(envelope)
    }
  }
  await trustKeyHolder(keyHolder.publicKey)
})

async function enrolled(scheme: SchemeName, epoch = 1): Promise<Enrolled> {
  keyHolder.scheme = scheme
  keyHolder.epoch = epoch
  return enrol(await openTicket('enrol', { scheme }), embedding(), ignore)
}

const kept = (epoch: number): Promise<boolean> => hasToken(keyHolder.account, epoch)

describe.each([
  ['ranking', 3, 320, 320],
  ['negative', 4, 2048, 256],
] as const)('%s', (scheme, suite, templateBytes, probeBytes) => {
  it('names its protection in what it signs, and never sends the token', async () => {
    await enrolled(scheme)
    await verify(await openTicket('verify'), embedding(), ignore)
    expect(sent.map((envelope) => envelope.length - 320)).toEqual([templateBytes, probeBytes])
    const token = toHex((await tokenOf(keyHolder.account, 1)) ?? new Uint8Array())
    expect(token).toHaveLength(64)
    for (const envelope of sent) {
      expect(envelope[5]).toBe(suite)
      expect(envelope.slice(72, 104)).toEqual(await modelFingerprint(scheme))
      expect(toHex(envelope)).not.toContain(token)
    }
  })

  it('keeps the new token before it sends, and the old one until the new template counts', async () => {
    await enrolled(scheme)
    const honest = api.enrol
    const seen: boolean[][] = []
    api.enrol = async (envelope) => {
      seen.push(await Promise.all([kept(1), kept(2)]))
      return honest(envelope)
    }
    const first = await tokenOf(keyHolder.account, 1)
    await enrolled(scheme, 2)
    expect(seen).toEqual([[true, true]])
    expect([await kept(1), await kept(2)]).toEqual([false, true])
    expect(await tokenOf(keyHolder.account, 2)).not.toEqual(first)
  })

  it('makes every enrolment another template, and old probes of no use for the new one', async () => {
    const [first, second] = [await enrolled(scheme), await enrolled(scheme, 2)]
    const same = first.body.filter((byte, index) => byte === second.body[index]).length
    expect(same).toBeLessThan(first.body.length / 4)
  })

  it('goes on with the old token where a renewal fails', async () => {
    await enrolled(scheme)
    const honest = api.enrol
    api.enrol = () => Promise.reject(new ApiError('server.keyholder_down', '', 503))
    await expect(enrolled(scheme, 2)).rejects.toThrow()
    api.enrol = honest
    keyHolder.epoch = 1
    expect((await verify(await openTicket('verify'), embedding(), ignore)).outcome).toBe('accepted')
    expect(await kept(1)).toBe(true)
  })

  it('goes on with the new token where only the answer was lost', async () => {
    await enrolled(scheme)
    const honest = api.enrol
    api.enrol = async (envelope) => {
      await honest(envelope)
      throw new ApiError('timeout', '', 0)
    }
    await expect(enrolled(scheme, 2)).rejects.toThrow()
    expect((await verify(await openTicket('verify'), embedding(), ignore)).outcome).toBe('accepted')
    expect([await kept(1), await kept(2)]).toEqual([false, true])
  })

  it('drops the old token for no certificate, only for an acceptance under the new one', async () => {
    await enrolled(scheme)
    const honest = api.enrol
    api.enrol = async (envelope) => {
      await honest(envelope)
      throw new ApiError('timeout', '', 0)
    }
    await expect(enrolled(scheme, 2)).rejects.toThrow()
    api.enrol = honest
    const ticket = await openTicket('verify')
    expect([await kept(1), await kept(2), (await recall(keyHolder.account)).epoch]).toEqual([true, true, 1])
    keyHolder.outcome = Outcome.NOT_ACCEPTED
    await verify(ticket, embedding(), ignore)
    expect([await kept(1), await kept(2)]).toEqual([true, true])
    keyHolder.outcome = Outcome.ACCEPTED
    await verify(await openTicket('verify'), embedding(), ignore)
    expect([await kept(1), await kept(2), (await recall(keyHolder.account)).epoch]).toEqual([false, true, 2])
  })

  it('remembers the protection that was accepted, and asks to stay', async () => {
    const persist = vi.fn(() => Promise.reject(new TypeError('refused')))
    vi.stubGlobal('navigator', { locks: navigator.locks, storage: { persist } })
    await enrolled(scheme)
    expect(persist).toHaveBeenCalledOnce()
    expect((await recall(keyHolder.account)).scheme).toBe(scheme)
  })

  it('enrols under no epoch that the account has already', async () => {
    await enrolled(scheme)
    const first = await tokenOf(keyHolder.account, 1)
    await expect(enrolled(scheme)).rejects.toMatchObject({ code: 'certificate_invalid', details: { check: 'epoch' } })
    expect(await tokenOf(keyHolder.account, 1)).toEqual(first)
  })

  it('says so where another device has the token, and asks nobody', async () => {
    await enrolled(scheme)
    keyHolder.epoch = 7
    await expect(openTicket('verify')).rejects.toMatchObject({ code: 'token_elsewhere', details: { scheme } })
    expect(sent).toHaveLength(1)
  })

  it('forgets the token with the template', async () => {
    const { template } = await enrolled(scheme)
    await deleteTemplate(template)
    expect(await kept(1)).toBe(false)
  })
})

it('protects with nothing else than was chosen', async () => {
  keyHolder.scheme = 'ranking'
  const asking = openTicket('enrol', { scheme: 'homomorphic' })
  await expect(asking).rejects.toMatchObject({ code: 'certificate_invalid', details: { check: 'protection' } })
})

it('signs a deletion under the suite of the template', async () => {
  const { template } = await enrolled('negative')
  let header = new Uint8Array()
  const honest = api.deleteTemplate
  api.deleteTemplate = (id, envelope) => {
    header = envelope
    return honest(id, envelope)
  }
  await deleteTemplate({ ...template, scheme: 'negative' })
  expect(header[5]).toBe(4)
})
