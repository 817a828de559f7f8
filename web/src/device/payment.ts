/**
 * Paying by face (protocol §8). What the person saw is what is signed: the statement is made here of the shown payee and
 * amount, never taken from the server. A signed payment is kept until its answer is here, and may be sent again and
 * again: the server pays it once and tells the one outcome.
 */
import { ApiError, type Order, type PaymentAnswer, type Proof } from '@/api'
import { fromBase64url, fromHex } from '@/api/bytes'
import { newKey, walletApi } from '@/api/wallet'
import { MessageType, Outcome, payeeNameHash, PaymentStatement, sameBytes, type Receipt } from '@/protect'
import { DeviceError } from './errors'
import { renewable, settleOn, signedProbe, stillGood, ticketFor, type Probe, type Seen, type Ticket } from './face'
import { ensureDevice } from './registration'
import { deviceId, self, type Self } from './self'
import { alone, counted, refusalCounted, settle, settleLate, type OnStep, type Sent } from './sending'
import { store, type SentPayment } from './store'
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
  const paid = await alone(me, async () => {
    const answer = await answered(me, () =>
      counted(me, probe.sent, () => timed(onStep, () => walletApi.pay(order.id, probe.envelope, kept.key))),
    )
    const { receipt } = await settle(me, answer.receipt, { ...probe.sent, outcome: OUTCOMES[answer.outcome] })
    return told(answer, receipt)
  })
  if (paid.outcome === 'accepted') await settleOn(ticket)
  await forgetSent(me.account.id)
  return paid
}

/** What was sent and has no answer yet, null where there is nothing. */
export async function sentPayment(account: string): Promise<SentPayment | null> {
  return (await (await store()).get('payments', account)) ?? null
}

/** Sends the very same message again. @throws ApiError unreachable, as before; every other error is the answer */
export async function sendAgain(kept: SentPayment): Promise<Paid> {
  const me = await self()
  const envelope = await unseal(kept.envelope, label(me.account.id))
  const sent: Sent = { type: MessageType.PAY, header: kept.header, templateHash: kept.templateHash }
  const paid = await alone(me, async () => {
    const answer = await answered(me, () =>
      refusalCounted(me, sent, () => walletApi.pay(kept.order, envelope, kept.key)),
    )
    return told(answer, await settleLate(me, answer.receipt, { ...sent, outcome: OUTCOMES[answer.outcome] }))
  })
  await forgetSent(me.account.id)
  return paid
}

/** The answer; a refusal is one, too, after which nothing is left to be sent again. */
async function answered(me: Self, request: () => Promise<{ data: PaymentAnswer }>): Promise<PaymentAnswer> {
  try {
    return (await request()).data
  } catch (error) {
    if (error instanceof ApiError && decided(error)) await forgetSent(me.account.id)
    throw error
  }
}

/** Whether the server has said its last word about this message. */
function decided({ status, code }: ApiError): boolean {
  return status >= 400 && status < 500 && status !== 429 && code !== 'wallet.still_working'
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
  const transaction = (await store()).transaction('payments', 'readwrite', { durability: 'strict' })
  await transaction.store.put(kept, me.account.id)
  await transaction.done
  return kept
}

async function forgetSent(account: string): Promise<void> {
  await (await store()).delete('payments', account)
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
