import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/envelope.json'
import { sha256, type Bytes } from './bytes'
import {
  contextHash,
  deviceContext,
  galleryContext,
  Header,
  KeyCert,
  MessageType,
  Outcome,
  Receipt,
  revocationContext,
  searchContext,
  signHeader,
  verifySignature,
  type HeaderFields,
} from './envelope'
import { ProtectError } from './errors'
import type { Suite } from './suites'

const hex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'hex'))
const toHex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex')
const keyHolder = hex(vectors.public_key)

type Case = (typeof vectors.headers)[number]

function fields({ fields }: Case): HeaderFields {
  return {
    type: fields.type as MessageType,
    suite: fields.suite as Suite,
    accountId: hex(fields.account_id),
    deviceId: hex(fields.device_id),
    keyFp: hex(fields.key_fp),
    modelFp: hex(fields.model_fp),
    challenge: hex(fields.challenge),
    issuedMs: fields.issued_ms,
    contextHash: hex(fields.context_hash),
    bodyHash: hex(fields.body_hash),
    templateHash: hex(fields.template_hash),
  }
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof ProtectError) return error.code
    throw error
  }
  return 'accepted'
}

function flipped(bytes: Bytes, offset: number): Bytes {
  const changed = bytes.slice()
  changed[offset] = (changed[offset] ?? 0) ^ 1
  return changed
}

describe('the header', () => {
  it.each(vectors.headers)('has the bytes and the signature of the vectors', async (vector) => {
    const bytes = new Header(fields(vector)).toBytes()
    expect(toHex(bytes)).toBe(vector.bytes)
    await verifySignature(keyHolder, bytes, hex(vector.signature))
    for (let offset = 0; offset < bytes.length; offset += 17) {
      expect(await codeOf(() => verifySignature(keyHolder, flipped(bytes, offset), hex(vector.signature)))).toBe(
        'bad_signature',
      )
    }
  })

  it('leaves what does not apply zero', () => {
    const [vector] = vectors.headers.filter((each) => each.fields.type === MessageType.DEVICE)
    if (!vector) throw new RangeError('no vector')
    const { keyFp, modelFp, templateHash, ...named } = fields(vector)
    expect([keyFp, modelFp, templateHash].every((hash) => hash?.every((byte) => byte === 0))).toBe(true)
    expect(toHex(new Header(named).toBytes())).toBe(vector.bytes)
  })

  it.each([
    { accountId: new Uint8Array(15) },
    { challenge: new Uint8Array(33) },
    { issuedMs: -1 },
    { issuedMs: 1.5 },
    { issuedMs: 2 ** 53 },
    { templateHash: new Uint8Array() },
  ])('refuses a field of wrong size', async (wrong) => {
    const [vector] = vectors.headers
    if (!vector) throw new RangeError('no vector')
    expect(await codeOf(() => new Header({ ...fields(vector), ...wrong }).toBytes())).toBe('malformed_envelope')
  })

  it('is signed by a key that cannot be taken out', async () => {
    const [vector] = vectors.headers
    if (!vector) throw new RangeError('no vector')
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
    const header = new Header(fields(vector))
    const signature = await signHeader(pair.privateKey, header)
    expect(signature.length).toBe(64)
    const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
    await verifySignature(point, header.toBytes(), signature)
  })
})

describe('contexts', () => {
  it.each(vectors.contexts)('of $label equal the vectors', async ({ label, origin, binding, hash }) => {
    expect(toHex(await contextHash(label as 'VFLOGIN', origin, hex(binding)))).toBe(hash)
  })

  it('of devices equal the vectors', async () => {
    const { public_key, device_id, hash } = vectors.device_context
    expect(toHex(await deviceContext(hex(public_key), hex(device_id)))).toBe(hash)
    expect(toHex(await revocationContext(hex(device_id)))).toBe(vectors.revocation_context.hash)
  })

  it('of galleries equal the vectors', async () => {
    for (const { act, gallery, hash } of vectors.gallery_contexts) {
      expect(toHex(await galleryContext(hex(gallery), act as 'in'))).toBe(hash)
    }
    const { gallery, hash } = vectors.search_context
    expect(toHex(await searchContext(hex(gallery)))).toBe(hash)
  })

  it('refuse a binding of wrong size', async () => {
    expect(await codeOf(() => contextHash('VFLOGIN', 'https://veilface.example', new Uint8Array(31)))).toBe(
      'malformed_envelope',
    )
  })
})

describe('the key certificate', () => {
  const bytes = hex(vectors.key_cert.bytes)

  it('is read and verified', async () => {
    const cert = KeyCert.parse(bytes)
    expect(cert.epoch).toBe(vectors.key_cert.epoch)
    expect(cert.suite).toBe(vectors.key_cert.suite)
    expect(cert.notBefore).toBe(1_700_000_000_000)
    expect(cert.keyFp.length).toBe(32)
    await cert.verify(keyHolder)
  })

  it('is refused with any byte changed', async () => {
    for (let offset = 0; offset < bytes.length; offset += 3) {
      const code = await codeOf(() => KeyCert.parse(flipped(bytes, offset)).verify(keyHolder))
      expect(['malformed_envelope', 'bad_signature']).toContain(code)
    }
    expect(await codeOf(() => KeyCert.parse(bytes.slice(1)))).toBe('malformed_envelope')
  })
})

describe('the receipt', () => {
  const bytes = hex(vectors.receipt.bytes)
  const header = hex(vectors.headers[0]?.bytes ?? '')

  it('is read and verified', async () => {
    const receipt = Receipt.parse(bytes)
    expect(receipt).toMatchObject({
      decision: MessageType.VERIFY,
      outcome: Outcome.NOT_ACCEPTED,
      consecutiveFailures: 2,
      totalDecisions: vectors.receipt.total_decisions,
      timeMs: vectors.receipt.time_ms,
      logIndex: 6789,
    })
    expect(receipt.headerHash).toEqual(await sha256(header))
    await receipt.verify(keyHolder, header)
  })

  it('answers one header only', async () => {
    expect(await codeOf(() => Receipt.parse(bytes).verify(keyHolder, flipped(header, 200)))).toBe('malformed_envelope')
  })

  it('is refused with any byte changed', async () => {
    for (let offset = 0; offset < bytes.length; offset += 3) {
      const code = await codeOf(() => Receipt.parse(flipped(bytes, offset)).verify(keyHolder, header))
      expect(['malformed_envelope', 'bad_signature']).toContain(code)
    }
  })
})

describe('signatures', () => {
  it('need a point of P-256', async () => {
    const none = new Uint8Array(65)
    expect(await codeOf(() => verifySignature(none, none, new Uint8Array(64)))).toBe('malformed_envelope')
    expect(await codeOf(() => verifySignature(none.slice(1), none, new Uint8Array(64)))).toBe('malformed_envelope')
  })

  it('need 64 bytes', async () => {
    expect(await codeOf(() => verifySignature(keyHolder, keyHolder, new Uint8Array(63)))).toBe('bad_signature')
  })
})
