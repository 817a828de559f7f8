import 'fake-indexeddb/auto'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Gallery } from '@/api'
import { concatBytes, fromHex, toBase64url } from '@/api/bytes'
import { galleryApi } from '@/api/galleries'
import { galleryContext, Header, MessageType, Outcome, sha256 } from '@/protect'
import { verifySignature } from '@/protect/envelope'
import { signMembership, type Act } from './galleries'
import { recall, remember } from './memory'
import { ensureDevice } from './registration'

type Bytes = Uint8Array<ArrayBuffer>
const ACCOUNT = 'b'.repeat(32)
const HEADER_BYTES = 256
const TEMPLATE = new Uint8Array(32).fill(2)
const P256 = { name: 'ECDSA', namedCurve: 'P-256' }
const GALLERY: Gallery = { id: 'c'.repeat(32), name: '前台', purpose: '迎宾', people: 3, membership: null }

vi.mock('./registration', () => ({ ensureDevice: vi.fn() }))

let keyHolder: CryptoKeyPair
let publicKey: Bytes

beforeAll(async () => {
  vi.stubGlobal('navigator', { locks: { request: (_: string, work: () => Promise<unknown>) => work() } })
  keyHolder = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const device = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', device.publicKey))
  const id = new Uint8Array(16).fill(1)
  vi.mocked(ensureDevice).mockResolvedValue({
    account: { id: ACCOUNT },
    accountId: id,
    key: { id, privateKey: device.privateKey },
    keyHolder: new Uint8Array(await crypto.subtle.exportKey('raw', keyHolder.publicKey)),
  } as never)
  const hash = toBase64url(TEMPLATE)
  vi.spyOn(galleryApi, 'challenge').mockResolvedValue({
    challenge: hash,
    key_fp: hash,
    template_hash: hash,
    expires_ms: 90_000,
    server_time_ms: 0,
  } as never)
})

beforeEach(async () => {
  await remember(ACCOUNT, () => ({ decisions: 7, unanswered: 0, alarm: null }))
})

/** What the key holder signs about `header`. */
async function receiptFor(header: Bytes, outcome: Outcome): Promise<string> {
  const counts = new DataView(new ArrayBuffer(28))
  counts.setUint8(0, MessageType.GALLERY_OPT_IN)
  counts.setUint8(1, outcome)
  counts.setBigUint64(4, 8n)
  const text = new TextEncoder().encode('VFRC')
  const said = concatBytes(text, await sha256(header), TEMPLATE, new Uint8Array(counts.buffer), new Uint8Array(32))
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keyHolder.privateKey, said)
  return toBase64url(concatBytes(said, new Uint8Array(signature)))
}

/** A server that passes the key holder's word on; the envelopes it was sent. */
function answering(outcome: Outcome): Bytes[] {
  const seen: Bytes[] = []
  const answer = async (_: string, envelope: Bytes) => {
    seen.push(envelope)
    return { since: '2026-11-23T00:00:00Z', receipt: await receiptFor(envelope.slice(0, HEADER_BYTES), outcome) }
  }
  vi.spyOn(galleryApi, 'join').mockImplementation(answer)
  vi.spyOn(galleryApi, 'leave').mockImplementation(answer)
  return seen
}

describe('a membership', () => {
  it.each<Act>(['in', 'out'])('%s is signed for exactly this gallery, and counted', async (act) => {
    const seen = answering(Outcome.ACCEPTED)
    await signMembership(GALLERY, act)
    const [envelope = new Uint8Array()] = seen
    const header = envelope.slice(0, HEADER_BYTES)
    const { fields } = Header.parse(header)
    expect(fields.type).toBe(MessageType.GALLERY_OPT_IN)
    expect(fields.contextHash).toEqual(await galleryContext(fromHex(GALLERY.id), act))
    expect(fields.templateHash).toEqual(TEMPLATE)
    await verifySignature(publicKey, header, envelope.slice(HEADER_BYTES))
    expect(await recall(ACCOUNT)).toMatchObject({ decisions: 8, unanswered: 0 })
  })

  it('is not believed without the receipt of an acceptance', async () => {
    answering(Outcome.NOT_ACCEPTED)
    await expect(signMembership(GALLERY, 'in')).rejects.toMatchObject({ code: 'receipt_invalid' })
    expect(await recall(ACCOUNT)).toMatchObject({ decisions: 7, unanswered: 1 })
  })
})
