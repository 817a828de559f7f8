import 'fake-indexeddb/auto'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { concatBytes, fromBase64url, toBase64url } from '@/api/bytes'
import { Header, modelFingerprint, SCHEME_NAMES, SCHEMES, sha256 } from '@/protect'
import { openLogin } from './face-login'

type Bytes = Uint8Array<ArrayBuffer>
const ACCOUNT = '01'.repeat(16)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const P256 = { name: 'ECDSA', namedCurve: 'P-256' }
/** What the server's clock, and the key holder's, say. */
const NOW = 1_700_000_000_000
const KEY: Bytes = new Uint8Array(SCHEMES.homomorphic.keyBytes)

vi.mock('./engines', () => ({ templateProtector: () => Promise.resolve() }))

let keyHolder: CryptoKeyPair
let site: object
let knocks: Header[] = []

/** As the key holder certifies: from five minutes ago, for a day. */
async function certificate(): Promise<string> {
  const dates = new DataView(new ArrayBuffer(20))
  dates.setUint32(0, 1)
  dates.setBigUint64(4, BigInt(NOW - 5 * MINUTE))
  dates.setBigUint64(12, BigInt(NOW + 24 * HOUR))
  const head = concatBytes(new TextEncoder().encode('VFKC'), new Uint8Array([SCHEMES.homomorphic.suite, 1]))
  const said = concatBytes(head, new Uint8Array(16).fill(1), new Uint8Array(dates.buffer), await sha256(KEY))
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keyHolder.privateKey, said)
  return toBase64url(concatBytes(said, new Uint8Array(signature)))
}

/** The server, as far as a knock goes. */
async function answered(path: string, options: RequestInit): Promise<Response> {
  if (path.endsWith('/site')) return Response.json(site)
  if (path.endsWith('/face-login')) return Response.json({ binding: toBase64url(new Uint8Array(32)), server_time_ms: NOW })
  if (path.endsWith('/key')) return new Response(KEY)
  const { header } = JSON.parse(options.body as string) as { header: string }
  knocks.push(Header.parse(fromBase64url(header)))
  const hash = toBase64url(await sha256(KEY))
  const times = { server_time_ms: NOW, expires_ms: NOW + 90_000, retry_after_s: 0, disabled: false }
  return Response.json({ ...times, challenge: hash, key_fp: hash, key_cert: await certificate(), template_hash: hash, liveness: [] })
}

beforeAll(async () => {
  keyHolder = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
  const public_key = toBase64url(new Uint8Array(await crypto.subtle.exportKey('raw', keyHolder.publicKey)))
  const fingerprints = SCHEME_NAMES.map(async (name) => ({ name, model_fp: toBase64url(await modelFingerprint(name)) }))
  site = { origin: 'http://localhost', keyholder: { public_key }, contract: { schemes: await Promise.all(fingerprints) } }
  vi.stubGlobal('location', new URL('http://localhost/app'))
  vi.stubGlobal('document', { cookie: '' })
  vi.stubGlobal('fetch', answered)
})

afterEach(() => {
  knocks = []
  vi.restoreAllMocks()
})

describe('a device whose clock is wrong', () => {
  it.each([0, -8 * MINUTE, 8 * MINUTE, 20 * HOUR])('by %i ms knocks by the server’s clock', async (wrong) => {
    vi.spyOn(Date, 'now').mockReturnValue(NOW + wrong)
    await openLogin(ACCOUNT)
    expect(knocks).toHaveLength(1)
    expect(Math.abs(Number(knocks[0]?.fields.issuedMs) - NOW)).toBeLessThan(MINUTE)
  })

  it.each([-HOUR, 48 * HOUR])('by %i ms is told so: its own clock alone can tell an old key', async (wrong) => {
    vi.spyOn(Date, 'now').mockReturnValue(NOW + wrong)
    await expect(openLogin(ACCOUNT)).rejects.toMatchObject({ code: 'clock_wrong' })
  })
})
