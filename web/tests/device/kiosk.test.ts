import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Challenge, FurtherKiosk, Signed } from '@/api'
import { fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'
import { decideAbout } from '@/kiosk/approving'
import { Desk } from '@/kiosk/desk'
import type { KioskMemory } from '@/kiosk/store'
import { deviceContext, Header, HEADER_BYTES, KeyPurpose, MessageType, revocationContext, sha256, SIGNATURE_BYTES } from '@/protect'
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
  verdictChallenge: vi.fn(),
  decide: vi.fn(),
}))
vi.mock('@/kiosk/api', () => ({ kioskApi: server }))
vi.mock('@/device/engines', () => ({
  templateProtector: () =>
    Promise.resolve({ protectProbe: () => Promise.resolve(PROBE), protectTemplate: () => Promise.resolve(PROBE) }),
}))

let keyHolder: FakeKeyHolder
let kiosk: Required<KioskMemory>
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
  const { publicKey, privateKey } = await crypto.subtle.generateKey(P256, false, ['sign', 'verify'])
  kiosk = {
    gallery: GALLERY,
    galleryName: 'g',
    id: new Uint8Array(16).fill(3),
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)),
    privateKey,
    token: 'vk_t',
    keyHolder: keyHolder.publicKey,
    keyFp: toHex(await sha256(keyHolder.key)),
  }
  desk = new Desk(kiosk)
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

  it('registers somebody by name, probe and template, and says whom they replace', async () => {
    await grant(await keyHolder.certificate(GALLERY, KeyPurpose.GALLERY))
    await desk.register(new Float32Array(128), '王小明', 'a'.repeat(32))
    const [token, application, replaces] = server.register.mock.calls[0] as [string, Bytes, string]
    expect([token, replaces]).toEqual(['vk_t', 'a'.repeat(32)])
    const message = HEADER_BYTES + SIGNATURE_BYTES + PROBE.length
    expect(application.length).toBe(161 + 2 * message)
    expect(new TextDecoder().decode(application.subarray(1, 1 + Number(application[0])))).toBe('王小明')
    expect(application.subarray(10, 161).every((byte) => byte === 0)).toBe(true)
    const types = [161, 161 + message].map((start) => Header.parse(application.slice(start, start + HEADER_BYTES)).fields.type)
    expect(types).toEqual([MessageType.IDENTIFY, MessageType.GALLERY_OPT_IN])
  })

  it('sends nothing under another key than the one it joined with, whoever vouches for it', async () => {
    keyHolder.epoch = 2
    server.publicKey.mockResolvedValue(keyHolder.key)
    await grant(await keyHolder.certificate(GALLERY, KeyPurpose.GALLERY))
    await expect(desk.search(new Float32Array(128))).rejects.toMatchObject({ code: 'certificate_invalid' })
    expect(server.search).not.toHaveBeenCalled()
  })

  it.each(['approval', 'refusal'] as const)('signs its %s of another for the key that was on the screen', async (verdict) => {
    const id = '5'.repeat(32)
    const other = { id, public_key: toBase64url(kiosk.publicKey) } as FurtherKiosk
    server.verdictChallenge.mockResolvedValue(await challenge(await keyHolder.certificate(GALLERY, KeyPurpose.GALLERY)))
    await decideAbout(other, verdict, kiosk)
    const [token, about, said, signed] = server.decide.mock.calls[0] as [string, string, string, Signed]
    expect([token, about, said]).toEqual(['vk_t', id, verdict])
    const { fields } = Header.parse(fromBase64url(signed.header))
    const approving = verdict === 'approval'
    const context = approving ? deviceContext(kiosk.publicKey, fromHex(id)) : revocationContext(fromHex(id))
    expect(fields).toMatchObject({ type: approving ? MessageType.DEVICE : MessageType.REVOKE, deviceId: kiosk.id })
    expect(toHex(fields.contextHash)).toBe(toHex(await context))
  })
})
