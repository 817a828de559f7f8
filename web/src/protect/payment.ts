/** What a payment is bound to (protocol §8): the 120 bytes whose hash is the context of the header that pays. */
import { sameBytes, sha256, type Bytes } from './bytes'
import { Header, MessageType, Outcome, Receipt, verifySignature } from './envelope'
import { exactly, malformed, Reader, Writer } from './layout'

export const STATEMENT_BYTES = 120
const ID_BYTES = 16
const HASH_BYTES = 32
const CURRENCY = /^[A-Z]{3}$/
const MOST_DIGITS = 8
const PADDING_BYTES = 28

export interface StatementFields {
  readonly payeeId: Bytes
  /** In units of 10^-exponent of the currency: fen, cents. */
  readonly amountMinor: number
  readonly currency: string
  readonly exponent: number
  readonly orderNonce: Bytes
  readonly payeeNameHash: Bytes
  readonly expiresMs: number
}

/** How the shown name of a payee stands in a statement. */
export function payeeNameHash(name: string): Promise<Bytes> {
  return sha256(new TextEncoder().encode(name))
}

/** What is paid to whom, once, before it expires. */
export class PaymentStatement {
  readonly fields: StatementFields

  /** @throws ProtectError malformed_envelope for a field out of its range */
  constructor(fields: StatementFields) {
    exactly(fields.payeeId, ID_BYTES, 'payee_id')
    exactly(fields.orderNonce, ID_BYTES, 'order_nonce')
    exactly(fields.payeeNameHash, HASH_BYTES, 'payee_name_hash')
    between(fields.amountMinor, 1, Number.MAX_SAFE_INTEGER, 'amount_minor')
    between(fields.exponent, 0, MOST_DIGITS, 'exponent')
    between(fields.expiresMs, 0, Number.MAX_SAFE_INTEGER, 'expires_ms')
    if (!CURRENCY.test(fields.currency)) throw malformed('currency', fields.currency, 'A-Z{3}')
    this.fields = fields
  }

  /** Reads 120 bytes. @throws ProtectError malformed_envelope on any deviation */
  static parse(bytes: Bytes): PaymentStatement {
    const reader = new Reader(bytes, STATEMENT_BYTES, 'statement')
    reader.text('VFPAY001', 'magic')
    const fields = {
      payeeId: reader.bytes(ID_BYTES),
      amountMinor: reader.unsigned(8, 'amount_minor'),
      currency: new TextDecoder('latin1').decode(reader.bytes(3)),
      exponent: reader.unsigned(1, 'exponent'),
      orderNonce: reader.bytes(ID_BYTES),
      payeeNameHash: reader.bytes(HASH_BYTES),
      expiresMs: reader.unsigned(8, 'expires_ms'),
    }
    reader.zeros(PADDING_BYTES, 'padding')
    return new PaymentStatement(fields)
  }

  toBytes(): Bytes {
    const fields = this.fields
    return new Writer(STATEMENT_BYTES)
      .text('VFPAY001')
      .bytes(fields.payeeId, ID_BYTES, 'payee_id')
      .unsigned(fields.amountMinor, 8, 'amount_minor')
      .text(fields.currency)
      .unsigned(fields.exponent, 1, 'exponent')
      .bytes(fields.orderNonce, ID_BYTES, 'order_nonce')
      .bytes(fields.payeeNameHash, HASH_BYTES, 'payee_name_hash')
      .unsigned(fields.expiresMs, 8, 'expires_ms')
      .bytes(new Uint8Array(PADDING_BYTES), PADDING_BYTES, 'padding')
      .done()
  }

  /** What the header of the payment carries as its context. */
  contextHash(): Promise<Bytes> {
    return sha256(this.toBytes())
  }
}

/** The five pieces that prove a payment to anybody who knows the key holder's public key. */
export interface PaymentProof {
  readonly statement: Bytes
  readonly header: Bytes
  readonly signature: Bytes
  readonly devicePublicKey: Bytes
  readonly receipt: Bytes
}

/**
 * The statement that was paid, if device and key holder both signed for exactly it, in time.
 * @throws ProtectError bad_signature for either signature; malformed_envelope names the first field that does not fit
 */
export async function verifyPayment(proof: PaymentProof, keyholderPublicKey: Bytes): Promise<PaymentStatement> {
  const statement = PaymentStatement.parse(proof.statement)
  const header = Header.parse(proof.header)
  same(header.fields.type, MessageType.PAY, 'type')
  await verifySignature(proof.devicePublicKey, proof.header, proof.signature, 'device')
  if (!sameBytes(header.fields.contextHash, await statement.contextHash())) throw malformed('context_hash', 'other', 'statement')
  const receipt = Receipt.parse(proof.receipt)
  await receipt.verify(keyholderPublicKey, proof.header)
  same(receipt.decision, MessageType.PAY, 'decision')
  same(receipt.outcome, Outcome.ACCEPTED, 'class')
  if (!sameBytes(receipt.templateHash, header.fields.templateHash)) throw malformed('template_hash', 'other', 'header')
  between(receipt.timeMs, 0, statement.fields.expiresMs, 'time_ms')
  return statement
}

function same(got: number, expected: number, field: string): void {
  if (got !== expected) throw malformed(field, got, expected)
}

function between(value: number, least: number, most: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) throw malformed(field, value, `${least} to ${most}`)
}
