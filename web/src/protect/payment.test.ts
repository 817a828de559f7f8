import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/payment.json'
import type { Bytes } from './bytes'
import { Header, MessageType, Outcome, Receipt, verifySignature } from './envelope'
import { payeeNameHash, PaymentStatement, STATEMENT_BYTES, verifyPayment, type StatementFields } from './payment'

const hex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'hex'))
const toHex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex')
const fields: StatementFields = {
  payeeId: hex(vectors.fields.payee_id),
  amountMinor: vectors.fields.amount_minor,
  currency: vectors.fields.currency,
  exponent: vectors.fields.exponent,
  orderNonce: hex(vectors.fields.order_nonce),
  payeeNameHash: hex(vectors.fields.payee_name_hash),
  expiresMs: vectors.fields.expires_ms,
}

describe('the statement of a payment', () => {
  it('has the bytes and the hash of the vectors', async () => {
    const statement = new PaymentStatement(fields)
    expect(toHex(statement.toBytes())).toBe(vectors.statement)
    expect(statement.toBytes()).toHaveLength(STATEMENT_BYTES)
    expect(toHex(await statement.contextHash())).toBe(vectors.context_hash)
    expect(toHex(await payeeNameHash(vectors.payee_name))).toBe(vectors.fields.payee_name_hash)
    expect(PaymentStatement.parse(hex(vectors.statement)).fields).toEqual(fields)
  })

  it.each([
    { amountMinor: 0 },
    { amountMinor: 18.5 },
    { amountMinor: -1 },
    { currency: 'cny' },
    { currency: '元' },
    { exponent: 9 },
    { payeeId: hex('00') },
  ])('cannot say %o', (changed) => {
    expect(() => new PaymentStatement({ ...fields, ...changed })).toThrow('malformed_envelope')
  })

  it.each([0, 119])('is refused with byte %i changed where it is fixed', (place) => {
    const bytes = hex(vectors.statement)
    bytes[place] = 1
    expect(() => PaymentStatement.parse(bytes)).toThrow('malformed_envelope')
  })

  it('is proven by the device and by the key holder', async () => {
    const [key, header, receipt] = [hex(vectors.public_key), hex(vectors.header), hex(vectors.receipt)]
    await verifySignature(key, header, hex(vectors.signature))
    await Receipt.parse(receipt).verify(key, header)
    expect(Receipt.parse(receipt)).toMatchObject({ decision: MessageType.PAY, outcome: Outcome.ACCEPTED })
    expect(Header.parse(header).toBytes()).toEqual(header)
  })

  it('is believed as a whole, and not with any piece of it changed', async () => {
    const key = hex(vectors.public_key)
    const proof = {
      statement: hex(vectors.statement),
      header: hex(vectors.header),
      signature: hex(vectors.signature),
      devicePublicKey: key,
      receipt: hex(vectors.receipt),
    }
    expect((await verifyPayment(proof, key)).fields).toEqual(fields)
    for (const piece of ['statement', 'header', 'signature', 'receipt'] as const) {
      const bent = proof[piece].slice()
      bent[40] = (bent[40] ?? 0) ^ 1
      await expect(verifyPayment({ ...proof, [piece]: bent }, key), piece).rejects.toThrow()
    }
  })
})
