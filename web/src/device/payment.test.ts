import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError, type Payment } from '@/api'
import { toBase64url } from '@/api/bytes'
import { walletApi } from '@/api/wallet'
import { Header, Outcome, type Bytes } from '@/protect'
import vectors from '../../../vectors/payment.json'
import { forgetAccount } from './forget'
import { sendAgain } from './payment'
import { asidePayments, keepSent, putAside, sentPayment, takeUp } from './sent'
import type { SentPayment } from './store'
import { seal } from './vault'

const hex = (text: string): Bytes => Uint8Array.from(Buffer.from(text, 'hex'))
const ACCOUNT = 'a'.repeat(32)
const ORDER = 'b'.repeat(32)
const KEY = hex(vectors.public_key)

vi.mock('./self', () => ({ self: () => Promise.resolve({ account: { id: 'a'.repeat(32) }, keyHolder: KEY }) }))
vi.stubGlobal('navigator', { locks: { request: (_: string, work: () => unknown) => work() } })

/** What paid the order of the vectors, sent, and never answered. */
async function sent(order = ORDER): Promise<SentPayment> {
  const header = hex(vectors.header)
  const { templateHash } = Header.parse(header).fields
  const kept: SentPayment = {
    order,
    key: 'k',
    envelope: await seal(Uint8Array.of(1, 2, 3), `${ACCOUNT}/payment`),
    header,
    templateHash,
    payee: vectors.payee_name,
    amount: vectors.fields.amount_minor,
    currency: 'CNY',
    exponent: 2,
  }
  await keepSent(ACCOUNT, kept)
  return kept
}

function refusing(code: string, status: number): void {
  vi.spyOn(walletApi, 'pay').mockRejectedValue(new ApiError(code, code, status))
}

/** The payment of the vectors, as the server tells it. */
function payment(id = ORDER): Payment {
  const { statement, header, signature, public_key: device_public_key, receipt } = vectors
  const proof = Object.fromEntries(
    Object.entries({ statement, header, signature, device_public_key, receipt }).map(([name, text]) => [name, toBase64url(hex(text))]),
  )
  return { id, proof } as unknown as Payment
}

beforeEach(async () => {
  vi.restoreAllMocks()
  await forgetAccount(ACCOUNT)
})

describe('a payment that is asked about again', () => {
  it.each([
    ['server.not_signed_in', 401],
    ['server.csrf', 403],
    ['server.not_found', 404],
    ['server.bad_request', 400],
    ['server.too_many_attempts', 429],
    ['wallet.still_working', 409],
    ['wallet.key_reused', 422],
    ['keyholder.unavailable', 503],
    ['a.code_of_tomorrow', 400],
  ])('is kept on %s, which says nothing of it', async (code, status) => {
    refusing(code, status)
    await expect(sendAgain(await sent())).rejects.toMatchObject({ code })
    expect(await sentPayment(ACCOUNT)).toMatchObject({ order: ORDER, key: 'k' })
  })

  it.each([
    ['wallet.order_expired', 410],
    ['wallet.interrupted', 409],
    ['keyholder.challenge_expired', 409],
    ['protect.malformed_envelope', 422],
    ['server.liveness_refused', 422],
    ['server.context_mismatch', 400],
  ])('is over on %s, which refuses the message itself', async (code, status) => {
    refusing(code, status)
    await expect(sendAgain(await sent())).rejects.toMatchObject({ code })
    expect(await sentPayment(ACCOUNT)).toBeNull()
  })

  it('was paid where the server has forgotten the answer but not the payment', async () => {
    refusing('wallet.order_paid', 409)
    const read = vi.spyOn(walletApi, 'payment').mockResolvedValue(payment())
    const paid = await sendAgain(await sent())
    expect(read).toHaveBeenCalledWith(ORDER)
    expect(paid).toMatchObject({ outcome: 'accepted', paymentId: ORDER, receipt: { outcome: Outcome.ACCEPTED } })
    expect(await sentPayment(ACCOUNT)).toBeNull()
  })

  it('is believed paid only by the proof of the very order', async () => {
    refusing('wallet.order_paid', 409)
    const kept = await sent()
    const lie = (answer: Payment): Promise<unknown> => {
      vi.spyOn(walletApi, 'payment').mockResolvedValue(answer)
      return sendAgain(kept)
    }
    await expect(lie(payment('c'.repeat(32)))).rejects.toMatchObject({ code: 'receipt_invalid' })
    const unsigned = payment()
    unsigned.proof.signature = toBase64url(new Uint8Array(64))
    await expect(lie(unsigned)).rejects.toMatchObject({ code: 'receipt_invalid' })
    const other = { ...kept, header: new Header({ ...Header.parse(kept.header).fields, contextHash: new Uint8Array(32) }).toBytes() }
    vi.spyOn(walletApi, 'payment').mockResolvedValue(payment())
    await expect(sendAgain(other)).rejects.toMatchObject({ code: 'receipt_invalid' })
    expect(await sentPayment(ACCOUNT)).not.toBeNull()
  })
})

describe('a payment put aside', () => {
  it('stays on record, and gives its place back', async () => {
    await sent()
    await putAside(ACCOUNT)
    expect(await sentPayment(ACCOUNT)).toBeNull()
    await sent('d'.repeat(32))
    await takeUp(ACCOUNT, ORDER)
    expect((await sentPayment(ACCOUNT))?.order).toBe(ORDER)
    expect((await asidePayments(ACCOUNT)).map(({ order }) => order)).toEqual(['d'.repeat(32)])
    await forgetAccount(ACCOUNT)
    expect(await asidePayments(ACCOUNT)).toEqual([])
  })
})
