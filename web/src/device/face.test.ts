import 'fake-indexeddb/auto'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/api'
import { concatBytes, toBase64url } from '@/api/bytes'
import { MessageType, Outcome, SCHEMES, sha256 } from '@/protect'
import { enrol, type Ticket } from './face'
import { recall, remember } from './memory'

type Bytes = Uint8Array<ArrayBuffer>
const ACCOUNT = 'b'.repeat(32)
const HEADER_BYTES = 256
const BODY = new Uint8Array(8).fill(3)
const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

vi.mock('./engines', () => ({ templateProtector: () => Promise.resolve({ protectTemplate: () => Promise.resolve(BODY) }) }))
vi.mock('./registration', () => ({}))

let keyHolder: CryptoKeyPair
let ticket: Ticket

beforeAll(async () => {
  vi.stubGlobal('navigator', { locks: { request: (_: string, work: () => Promise<unknown>) => work() } })
  keyHolder = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const device = await crypto.subtle.generateKey(P256, false, ['sign', 'verify'])
  const id = new Uint8Array(16).fill(1)
  const hash = new Uint8Array(32).fill(2)
  ticket = {
    self: {
      account: { id: ACCOUNT },
      accountId: id,
      key: { id, privateKey: device.privateKey },
      keyHolder: new Uint8Array(await crypto.subtle.exportKey('raw', keyHolder.publicKey)),
    },
    purpose: 'enrol',
    grant: {
      challenge: { challenge: toBase64url(hash), key_fp: toBase64url(hash), expires_ms: 90_000, server_time_ms: 0 },
      contextHash: hash,
      askedAt: performance.now(),
    },
    certified: { scheme: SCHEMES.homomorphic, epoch: 1, key: new Uint8Array(1) },
  } as unknown as Ticket
})

beforeEach(async () => {
  await remember(ACCOUNT, () => ({ decisions: 7, unanswered: 0, alarm: null }))
})

interface Said {
  readonly outcome?: Outcome
  readonly total?: number
  readonly about?: Bytes
}

/** What the key holder signs about `header`. */
async function receiptFor(header: Bytes, { outcome = Outcome.NOT_ACCEPTED, total = 8, about = BODY }: Said): Promise<string> {
  const counts = new DataView(new ArrayBuffer(28))
  counts.setUint8(0, MessageType.ENROL)
  counts.setUint8(1, outcome)
  counts.setBigUint64(4, BigInt(total))
  const said = concatBytes(
    new TextEncoder().encode('VFRC'),
    await sha256(header),
    await sha256(about),
    new Uint8Array(counts.buffer),
    new Uint8Array(32),
  )
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keyHolder.privateKey, said)
  return toBase64url(concatBytes(said, new Uint8Array(signature)))
}

/** Enrols at a server that refuses with what `details` makes of the header. */
async function refused(status: number, code: string, details: (header: Bytes) => Promise<object>): Promise<unknown> {
  vi.spyOn(api, 'enrol').mockImplementation(async (envelope) => {
    throw new ApiError(code, '', status, { ...(await details(envelope.slice(0, HEADER_BYTES))) })
  })
  return enrol(ticket, new Float32Array(128), () => undefined).catch((error: unknown) => error)
}

describe('a refusal that brings a receipt', () => {
  it.each([
    [422, 'server.template_not_accepted', Outcome.NOT_ACCEPTED],
    [429, 'server.enrolment_paused', Outcome.RETRY_LATER],
  ])('%i %s is counted and passed on', async (status, code, outcome) => {
    const error = await refused(status, code, async (header) => ({ receipt: await receiptFor(header, { outcome }) }))
    expect(error).toMatchObject({ name: 'ApiError', code })
    expect(await recall(ACCOUNT)).toMatchObject({ decisions: 8, unanswered: 0, alarm: null })
  })

  it('raises the alarm when the key holder counted more than was asked', async () => {
    const error = await refused(422, 'refused', async (header) => ({ receipt: await receiptFor(header, { total: 10 }) }))
    expect(error).toMatchObject({ code: 'refused' })
    expect((await recall(ACCOUNT)).alarm).toMatchObject({ unexplained: 2, rolledBack: false })
  })

  it.each<[string, (header: Bytes) => Promise<unknown>]>([
    ['about another message', () => receiptFor(new Uint8Array(HEADER_BYTES), {})],
    ['about another template', (header) => receiptFor(header, { about: new Uint8Array(8) })],
    ['with another signature', async (header) => (await receiptFor(header, {})).replace(/.{8}$/, 'AAAAAAAA')],
    ['that is none', () => Promise.resolve(null)],
  ])('is not believed with a receipt %s', async (_, receipt) => {
    const error = await refused(422, 'refused', async (header) => ({ receipt: await receipt(header) }))
    expect(error).toMatchObject({ name: 'DeviceError', code: 'receipt_invalid' })
    expect(await recall(ACCOUNT)).toMatchObject({ decisions: 7, unanswered: 1 })
  })
})

describe('a refusal without a receipt', () => {
  it('was not judged, and a failure may have been', async () => {
    await refused(400, 'refused', () => Promise.resolve({}))
    expect(await recall(ACCOUNT)).toMatchObject({ decisions: 7, unanswered: 0 })
    await refused(503, 'server.keyholder_down', () => Promise.resolve({}))
    expect(await recall(ACCOUNT)).toMatchObject({ decisions: 7, unanswered: 1 })
  })
})
