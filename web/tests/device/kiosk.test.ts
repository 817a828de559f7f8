import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Challenge } from '@/api'
import { fromHex, toBase64url, toHex } from '@/api/bytes'
import { Desk } from '@/kiosk/desk'
import { Header, HEADER_BYTES, KeyPurpose, MessageType, sha256, SIGNATURE_BYTES } from '@/protect'
import { FakeKeyHolder } from './keyHolder'

type Bytes = Uint8Array<ArrayBuffer>

const GALLERY = '0'.repeat(31) + '7'
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const PROBE = new Uint8Array(8).fill(9)

const server = vi.hoisted(() => ({
  challenges: vi.fn(),
  publicKey: vi.fn(),
  search: vi.fn(),
  register: vi.fn(),
}))
vi.mock('@/kiosk/api', () => ({ kioskApi: server }))
vi.mock('@/device/engines', () => ({
  templateProtector: () =>
    Promise.resolve({ protectProbe: () => Promise.resolve(PROBE), protectTemplate: () => Promise.resolve(PROBE) }),
}))

let keyHolder: FakeKeyHolder
let desk: Desk

async function challenge(certificate: Bytes): Promise<Challenge> {
  return {
    challenge: toBase64url(crypto.getRandomValues(new Uint8Array(32))),
    expires_ms: 1_000_000,
    server_time_ms: 910_000,
    key_cert: toBase64url(certificate),
    key_fp: toBase64url(await sha256(keyHolder.key)),
    epoch: 1,
    template_hash: null,
  } as Challenge
}

async function grant(certificate: Bytes): Promise<void> {
  const granted = await Promise.all(Array.from({ length: 4 }, () => challenge(certificate)))
  server.challenges.mockResolvedValue(granted)
}

beforeEach(async () => {
  vi.resetAllMocks()
  keyHolder = await FakeKeyHolder.make()
  const { privateKey } = await crypto.subtle.generateKey(P256, false, ['sign', 'verify'])
  desk = new Desk({
    gallery: GALLERY,
    galleryName: 'g',
    id: new Uint8Array(16).fill(3),
    privateKey,
    token: 'vk_t',
    keyHolder: keyHolder.publicKey,
    keyFp: toHex(await sha256(keyHolder.key)),
  })
  server.publicKey.mockResolvedValue(keyHolder.key)
  server.search.mockResolvedValue({ data: { outcome: 'nobody', people: [], searched: 1 }, timings: {} })
})

describe('a kiosk', () => {
  it('signs what it searches for, for this gallery, under the certified key, with challenges had ahead', async () => {
    await grant(await keyHolder.certificate(GALLERY, KeyPurpose.GALLERY))
    await desk.prepare()
    expect([server.challenges.mock.calls.length, server.search.mock.calls.length]).toEqual([1, 0])
    await Promise.all([0, 1, 2, 3].map(() => desk.search(new Float32Array(128))))
    expect(server.challenges).toHaveBeenCalledTimes(2) // four for these, and four ahead
    const sent = server.search.mock.calls.map(([, envelope]) => envelope as Bytes)
    const headers = sent.map((envelope) => Header.parse(envelope.slice(0, HEADER_BYTES)))
    expect(new Set(headers.map(({ fields }) => toHex(fields.challenge))).size).toBe(4)
    for (const [index, { fields }] of headers.entries()) {
      expect(fields).toMatchObject({ type: MessageType.IDENTIFY, accountId: fromHex(GALLERY) })
      expect(toHex(fields.keyFp)).toBe(toHex(await sha256(keyHolder.key)))
      expect(sent[index]?.slice(HEADER_BYTES + SIGNATURE_BYTES)).toEqual(PROBE)
    }
  })

  it.each([
    ['an account instead of a gallery', (): Promise<Bytes> => keyHolder.certificate(GALLERY, KeyPurpose.ACCOUNT)],
    ['another gallery', (): Promise<Bytes> => keyHolder.certificate('f'.repeat(32), KeyPurpose.GALLERY)],
    ['another key holder', async () => (await FakeKeyHolder.make()).certificate(GALLERY, KeyPurpose.GALLERY)],
  ])('sends nothing under the key of %s', async (_, certificate) => {
    await grant(await certificate())
    await expect(desk.search(new Float32Array(128))).rejects.toMatchObject({ code: 'certificate_invalid' })
    await expect(desk.register(new Float32Array(128), '甲')).rejects.toMatchObject({ code: 'certificate_invalid' })
    expect(server.search).not.toHaveBeenCalled()
    expect(server.register).not.toHaveBeenCalled()
  })

  it('sends nothing under another key than the one it joined with, whoever vouches for it', async () => {
    keyHolder.epoch = 2
    server.publicKey.mockResolvedValue(keyHolder.key)
    await grant(await keyHolder.certificate(GALLERY, KeyPurpose.GALLERY))
    await expect(desk.search(new Float32Array(128))).rejects.toMatchObject({ code: 'certificate_invalid' })
    expect(server.search).not.toHaveBeenCalled()
  })
})
