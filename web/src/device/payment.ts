/**
 * Paying by face (protocol §8). What the person saw is what is signed: the statement is made here of the shown payee and
 * amount, never taken from the server. A signed payment is kept until its answer is here, and may be sent again and
 * again: the server pays it once and tells the one outcome.
 */
import { ApiError, type Answer, type Order, type PaymentAnswer, type Proof } from '@/api'
import { fromBase64url, fromHex } from '@/api/bytes'
import { newKey, walletApi } from '@/api/wallet'
import { Header, MessageType, Outcome, payeeNameHash, PaymentStatement, Receipt, sameBytes, verifyPayment } from '@/protect'
import { DeviceError } from './errors'
import { renewable, settleOn, signedProbe, stillGood, ticketFor, type Probe, type Seen, type Ticket } from './face'
import { decided } from './once'
import { proofOf } from './receipt'
import { ensureDevice } from './registration'
import { deviceId, self, type Self } from './self'
import { alone, counted, refusalCounted, settle, settleLate, type OnStep, type Sent } from './sending'
import { forgetSent, keepSent } from './sent'
import type { SentPayment } from './store'
import { seal, unseal } from './vault'

/** What the person has before their eyes when they agree. */
export interface Shown {
  readonly payee: string
  readonly amount: number
}

export interface PaymentTicket {
  readonly order: Order
  readonly statement: PaymentStatement
  readonly ticket: Ticket
}

export interface Paid {
  readonly outcome: PaymentAnswer['outcome']
  readonly retryAfterS: number
  readonly receipt: Receipt
  /** Null unless it is paid. */
  readonly paymentId: string | null
}

const OUTCOMES = {
  accepted: Outcome.ACCEPTED,
  not_accepted: Outcome.NOT_ACCEPTED,
  retry_later: Outcome.RETRY_LATER,
  disabled: Outcome.DISABLED,
} as const

const PAID_BEFORE = 'wallet.order_paid'

/**
 * The statement of what was shown, for the order the server made of it.
 * @throws DeviceError other_order where the server would have anything else paid
 */
export async function statementOf(order: Order, shown: Shown): Promise<PaymentStatement> {
  const statement = new PaymentStatement({
    payeeId: fromHex(order.payee_id),
    amountMinor: shown.amount,
    currency: order.currency,
    exponent: order.exponent,
    orderNonce: fromHex(order.nonce),
    payeeNameHash: await payeeNameHash(shown.payee),
    expiresMs: order.expires_ms,
  })
  const same = order.payee_name === shown.payee && order.amount === shown.amount
  if (!same || !sameBytes(statement.toBytes(), fromBase64url(order.statement))) throw new DeviceError('other_order')
  return statement
}

/** A challenge for the one message that may pay `order`; the password or a passkey where the order needs it. */
export async function openPayment(order: Order, shown: Shown, proof: Proof = {}): Promise<PaymentTicket> {
  const statement = await statementOf(order, shown)
  const me = await ensureDevice()
  const askedAt = performance.now()
  const challenge = await walletApi.payChallenge(order.id, deviceId(me), proof)
  const ticket = await ticketFor(me, { challenge, contextHash: await statement.contextHash(), askedAt }, 'verify')
  return { order, statement, ticket }
}

/** Signs with the embedding, which is overwritten, keeps what was signed, and sends it. */
export async function pay(opened: PaymentTicket, seen: Seen, onStep: OnStep): Promise<Paid> {
  const { order, ticket } = await usable(opened)
  const me = ticket.self
  const probe = await signedProbe(ticket, MessageType.PAY, seen, onStep)
  const kept = await keep(me, order, probe)
  const paid = await alone(me, () =>
    answered(me, kept, async () => {
      const request = (): Promise<Answer<PaymentAnswer>> => walletApi.pay(order.id, probe.envelope, kept.key)
      const { data } = await counted(me, probe.sent, () => timed(onStep, request))
      const { receipt } = await settle(me, data.receipt, { ...probe.sent, outcome: OUTCOMES[data.outcome] })
      return told(data, receipt)
    }),
  )
  if (paid.outcome === 'accepted') await settleOn(ticket)
  await forgetSent(me.account.id)
  return paid
}

/** Sends the very same message again. @throws ApiError; what was sent is kept unless that judged the message itself */
export async function sendAgain(kept: SentPayment): Promise<Paid> {
  const me = await self()
  const envelope = await unseal(kept.envelope, label(me.account.id))
  const sent = sentOf(kept)
  const paid = await alone(me, () =>
    answered(me, kept, async () => {
      const { data } = await refusalCounted(me, sent, () => walletApi.pay(kept.order, envelope, kept.key))
      return told(data, await settleLate(me, data.receipt, { ...sent, outcome: OUTCOMES[data.outcome] }))
    }),
  )
  await forgetSent(me.account.id)
  return paid
}

/** The answer. A refusal of the message is one, too, after which nothing is left to be sent again. */
async function answered(me: Self, kept: SentPayment, request: () => Promise<Paid>): Promise<Paid> {
  try {
    return await request()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.code === PAID_BEFORE) return paidBefore(me, kept)
    if (decided(error)) await forgetSent(me.account.id)
    throw error
  }
}

/**
 * What became of an order that is paid, by this message or another: the server has forgotten the answer, not the payment.
 * @throws DeviceError receipt_invalid where the payment is not proven to be of that order
 */
async function paidBefore(me: Self, kept: SentPayment): Promise<Paid> {
  const payment = await walletApi.payment(kept.order)
  const proof = proofOf(payment)
  const signed = await verifyPayment(proof, me.keyHolder).catch((error: unknown) => {
    throw new DeviceError('receipt_invalid', { check: 'payment' }, { cause: error })
  })
  const agreed = Header.parse(kept.header).fields.contextHash
  const same = payment.id === kept.order && sameBytes(await signed.contextHash(), agreed)
  if (!same) throw new DeviceError('receipt_invalid', { check: 'order' })
  const receipt = sameBytes(proof.header, kept.header)
    ? await settleLate(me, payment.proof.receipt, { ...sentOf(kept), outcome: Outcome.ACCEPTED })
    : Receipt.parse(proof.receipt)
  return { outcome: 'accepted', retryAfterS: 0, receipt, paymentId: payment.id }
}

function sentOf({ header, templateHash }: SentPayment): Sent {
  return { type: MessageType.PAY, header, templateHash }
}

async function keep(me: Self, order: Order, { envelope, sent }: Probe): Promise<SentPayment> {
  const kept: SentPayment = {
    order: order.id,
    key: newKey(),
    envelope: await seal(envelope, label(me.account.id)),
    header: sent.header,
    templateHash: sent.templateHash,
    payee: order.payee_name,
    amount: order.amount,
    currency: order.currency,
    exponent: order.exponent,
  }
  await keepSent(me.account.id, kept)
  return kept
}

/** The ticket, or a new one where the person took their time; the order remembers what was proven for it. */
async function usable(opened: PaymentTicket): Promise<PaymentTicket> {
  if (stillGood(opened.ticket)) return opened
  renewable(opened.ticket)
  const { payee_name: payee, amount } = opened.order
  return openPayment(opened.order, { payee, amount })
}

async function timed<T>(onStep: OnStep, request: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const answer = await request()
  onStep('sent', 0)
  onStep('answered', performance.now() - started)
  return answer
}

function told(answer: PaymentAnswer, receipt: Receipt): Paid {
  return { outcome: answer.outcome, retryAfterS: answer.retry_after_s, receipt, paymentId: answer.payment_id }
}

function label(account: string): string {
  return `${account}/payment`
}
