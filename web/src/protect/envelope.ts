/** The signed envelope of protocol §3 and §4: header, key certificate, receipt, contexts. */
import { sameBytes, sha256, type Bytes } from './bytes'
import { ProtectError } from './errors'
import { exactly, malformed, Reader, Writer } from './layout'
import { Suite } from './suites'

export const HEADER_BYTES = 256
export const SIGNATURE_BYTES = 64
export const PUBLIC_POINT_BYTES = 65
const ID_BYTES = 16
const HASH_BYTES = 32
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' } as const

export const MessageType = {
  ENROL: 10,
  VERIFY: 11,
  PAY: 12,
  IDENTIFY: 13,
  GALLERY_OPT_IN: 14,
  REVOKE: 15,
  DELETE: 16,
  DEVICE: 17,
} as const
export type MessageType = (typeof MessageType)[keyof typeof MessageType]

export const KeyPurpose = { ACCOUNT: 1, GALLERY: 2 } as const
export type KeyPurpose = (typeof KeyPurpose)[keyof typeof KeyPurpose]

/** The class of a receipt: all that leaves the key holder about a decision. */
export const Outcome = { ACCEPTED: 0, NOT_ACCEPTED: 1, RETRY_LATER: 2, DISABLED: 3 } as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

/** What a login, enrolment or deletion is bound to: label, origin, 32-byte session binding. */
export async function contextHash(
  label: 'VFLOGIN' | 'VFENROL' | 'VFDELETE',
  origin: string,
  binding: Bytes,
): Promise<Bytes> {
  exactly(binding, HASH_BYTES, 'binding')
  return hashOf(label + origin, binding)
}

/** The context of a device's registration and of its approval by another device. */
export async function deviceContext(publicKey: Bytes, deviceId: Bytes): Promise<Bytes> {
  exactly(publicKey, PUBLIC_POINT_BYTES, 'public_key')
  exactly(deviceId, ID_BYTES, 'device_id')
  return hashOf('VFDEVICE', publicKey, deviceId)
}

/** The context of the revocation of `deviceId`. */
export async function revocationContext(deviceId: Bytes): Promise<Bytes> {
  exactly(deviceId, ID_BYTES, 'device_id')
  return hashOf('VFREVOKE', deviceId)
}

/** What a message of type 14 is bound to: joining a gallery, leaving it, or a kiosk's registering of somebody. */
export async function galleryContext(gallery: Bytes, act: 'in' | 'out' | 'register'): Promise<Bytes> {
  exactly(gallery, ID_BYTES, 'gallery')
  return hashOf('VFGALLERY', gallery, new TextEncoder().encode(act))
}

/** What a kiosk's search (type 13) is bound to. */
export async function searchContext(gallery: Bytes): Promise<Bytes> {
  exactly(gallery, ID_BYTES, 'gallery')
  return hashOf('VFSEARCH', gallery)
}

async function hashOf(text: string, ...parts: readonly Bytes[]): Promise<Bytes> {
  return sha256(new Uint8Array(await new Blob([text, ...parts]).arrayBuffer()))
}

export interface HeaderFields {
  readonly type: MessageType
  readonly accountId: Bytes
  readonly deviceId: Bytes
  readonly challenge: Bytes
  readonly issuedMs: number
  readonly contextHash: Bytes
  readonly bodyHash: Bytes
  /** That of the template or probe; left out where the message is about none. */
  readonly suite?: Suite
  /** The three below are zero where they do not apply. */
  readonly keyFp?: Bytes
  readonly modelFp?: Bytes
  readonly templateHash?: Bytes
}

/** The 256 bytes a device signs. Ids are 16 bytes, hashes 32. */
export class Header {
  readonly fields: Required<HeaderFields>

  constructor(fields: HeaderFields) {
    const zero = new Uint8Array(HASH_BYTES)
    this.fields = { suite: Suite.HOMOMORPHIC, keyFp: zero, modelFp: zero, templateHash: zero, ...fields }
  }

  /** Reads 256 bytes. @throws ProtectError malformed_envelope on any deviation */
  static parse(bytes: Bytes): Header {
    const reader = new Reader(bytes, HEADER_BYTES, 'header')
    reader.text('VFC1', 'magic')
    const [type, suite] = [reader.member(MessageType, 'type'), reader.member(Suite, 'suite')]
    reader.zeros(2, 'zero')
    const fields = {
      type,
      suite,
      accountId: reader.bytes(ID_BYTES),
      deviceId: reader.bytes(ID_BYTES),
      keyFp: reader.bytes(HASH_BYTES),
      modelFp: reader.bytes(HASH_BYTES),
      challenge: reader.bytes(HASH_BYTES),
      issuedMs: reader.unsigned(8, 'issued_ms'),
      contextHash: reader.bytes(HASH_BYTES),
      bodyHash: reader.bytes(HASH_BYTES),
      templateHash: reader.bytes(HASH_BYTES),
    }
    reader.zeros(ID_BYTES, 'padding')
    return new Header(fields)
  }

  /** @throws ProtectError malformed_envelope for a field of wrong size */
  toBytes(): Bytes {
    const fields = this.fields
    return new Writer(HEADER_BYTES)
      .text('VFC1')
      .unsigned(fields.type, 1, 'type')
      .unsigned(fields.suite, 1, 'suite')
      .unsigned(0, 2, 'zero')
      .bytes(fields.accountId, ID_BYTES, 'account_id')
      .bytes(fields.deviceId, ID_BYTES, 'device_id')
      .bytes(fields.keyFp, HASH_BYTES, 'key_fp')
      .bytes(fields.modelFp, HASH_BYTES, 'model_fp')
      .bytes(fields.challenge, HASH_BYTES, 'challenge')
      .unsigned(fields.issuedMs, 8, 'issued_ms')
      .bytes(fields.contextHash, HASH_BYTES, 'context_hash')
      .bytes(fields.bodyHash, HASH_BYTES, 'body_hash')
      .bytes(fields.templateHash, HASH_BYTES, 'template_hash')
      .bytes(new Uint8Array(ID_BYTES), ID_BYTES, 'padding')
      .done()
  }
}

/** A device's signature over its header, raw r ‖ s (64 bytes). */
export async function signHeader(privateKey: CryptoKey, header: Header): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(ECDSA, privateKey, header.toBytes()))
}

/** @throws ProtectError bad_signature, or malformed_envelope where `publicKey` is no point of P-256 */
export async function verifySignature(
  publicKey: Bytes,
  data: Bytes,
  signature: Bytes,
  signer: 'device' | 'keyholder' = 'device',
): Promise<void> {
  exactly(publicKey, PUBLIC_POINT_BYTES, 'public_key')
  const key = await crypto.subtle.importKey('raw', publicKey, P256, false, ['verify']).catch((error: unknown) => {
    throw new ProtectError('malformed_envelope', { field: 'public_key', expected: 'P-256' }, { cause: error })
  })
  if (!(await crypto.subtle.verify(ECDSA, key, signature, data))) throw new ProtectError('bad_signature', { signer })
}

/** The key holder's word that the key of a suite belongs to an account. Times are in milliseconds. */
export class KeyCert {
  static readonly BYTES = 138
  readonly suite: Suite
  readonly purpose: KeyPurpose
  readonly subjectId: Bytes
  readonly epoch: number
  readonly notBefore: number
  readonly notAfter: number
  readonly keyFp: Bytes
  readonly #bytes: Bytes

  private constructor(bytes: Bytes) {
    const reader = new Reader(bytes, KeyCert.BYTES, 'key_cert')
    reader.text('VFKC', 'magic')
    this.suite = reader.member(Suite, 'suite')
    this.purpose = reader.member(KeyPurpose, 'purpose')
    this.subjectId = reader.bytes(ID_BYTES)
    this.epoch = reader.unsigned(4, 'epoch')
    this.notBefore = reader.unsigned(8, 'not_before')
    this.notAfter = reader.unsigned(8, 'not_after')
    this.keyFp = reader.bytes(HASH_BYTES)
    this.#bytes = bytes.slice()
  }

  /** Reads 138 bytes; the signature is not checked here. @throws ProtectError malformed_envelope */
  static parse(bytes: Bytes): KeyCert {
    return new KeyCert(bytes)
  }

  /** @throws ProtectError bad_signature unless the pinned key holder signed this certificate */
  verify(keyholderPublicKey: Bytes): Promise<void> {
    return verifyTail(keyholderPublicKey, this.#bytes)
  }
}

/** The key holder's signed answer to one header. */
export class Receipt {
  static readonly BYTES = 192
  readonly headerHash: Bytes
  readonly templateHash: Bytes
  readonly decision: MessageType
  readonly outcome: Outcome
  readonly consecutiveFailures: number
  readonly totalDecisions: number
  /** Milliseconds since 1970, UTC. */
  readonly timeMs: number
  readonly logIndex: number
  readonly logHead: Bytes
  readonly #bytes: Bytes

  private constructor(bytes: Bytes) {
    const reader = new Reader(bytes, Receipt.BYTES, 'receipt')
    reader.text('VFRC', 'magic')
    this.headerHash = reader.bytes(HASH_BYTES)
    this.templateHash = reader.bytes(HASH_BYTES)
    this.decision = reader.member(MessageType, 'decision')
    this.outcome = reader.member(Outcome, 'class')
    this.consecutiveFailures = reader.unsigned(2, 'consecutive_failures')
    this.totalDecisions = reader.unsigned(8, 'total_decisions')
    this.timeMs = reader.unsigned(8, 'time_ms')
    this.logIndex = reader.unsigned(8, 'log_index')
    this.logHead = reader.bytes(HASH_BYTES)
    this.#bytes = bytes.slice()
  }

  /** Reads 192 bytes; the signature is not checked here. @throws ProtectError malformed_envelope */
  static parse(bytes: Bytes): Receipt {
    return new Receipt(bytes)
  }

  /**
   * @param header the 256 bytes this must be the answer to
   * @throws ProtectError bad_signature unless the pinned key holder signed this, malformed_envelope unless it answers
   *   exactly `header`
   */
  async verify(keyholderPublicKey: Bytes, header: Bytes): Promise<void> {
    await verifyTail(keyholderPublicKey, this.#bytes)
    if (!sameBytes(this.headerHash, await sha256(header))) throw malformed('header_hash', 'another', 'that of the header')
  }
}

/** Checks a structure whose last 64 bytes are the key holder's signature over the rest. */
function verifyTail(keyholderPublicKey: Bytes, signed: Bytes): Promise<void> {
  const end = signed.length - SIGNATURE_BYTES
  return verifySignature(keyholderPublicKey, signed.slice(0, end), signed.slice(end), 'keyholder')
}
