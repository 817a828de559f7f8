/** The wallet's verbs. Amounts are whole minor units; what moves money has a key and may be sent again with it. */
import { requestJson, type Answer } from '@/api/client'
import { toBase64url } from '@/api/bytes'
import type { Challenge, Hex, Movement, Movements, Order, Payee, PayeeCode, Payment, PaymentAnswer, Proof, Wallet } from '@/api/types'

type Body = Uint8Array<ArrayBuffer>

/** A payment carries up to 74 KB and waits for the key holder. */
const SLOW_MS = 30_000
const KEY_BYTES = 24

/** Which movements; what is left out does not matter. */
export interface MovementFilter {
  readonly kind?: Movement['kind'] | undefined
  readonly direction?: Movement['direction'] | undefined
  readonly after?: Hex | undefined
  readonly limit?: number | undefined
}

/** A name for one request that moves money. */
export function newKey(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))
}

async function data<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).data
}

function query(filter: MovementFilter): string {
  const given = Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return given.length > 0 ? `?${new URLSearchParams(given).toString()}` : ''
}

export const walletApi = {
  wallet: () => data(requestJson<Wallet>('GET', '/wallet')),
  movements: (filter: MovementFilter = {}) => data(requestJson<Movements>('GET', `/wallet/movements${query(filter)}`)),
  movement: (id: Hex) => data(requestJson<Movement>('GET', `/wallet/movements/${id}`)),
  payment: (id: Hex) => data(requestJson<Payment>('GET', `/wallet/payments/${id}`)),

  topUp: (amount: number, key: string) =>
    data(requestJson<Movement>('POST', '/wallet/top-ups', { body: { amount }, key })),
  refund: (payment: Hex, amount: number | null, proof: Proof, key: string) =>
    data(requestJson<Movement>('POST', `/wallet/payments/${payment}/refunds`, { body: { amount, ...proof }, key })),

  makeCode: (amount: number | null) => data(requestJson<PayeeCode>('POST', '/wallet/codes', { body: { amount } })),
  readCode: (code: string) => data(requestJson<Payee>('POST', '/wallet/codes/reading', { body: { code } })),

  order: (code: string, amount: number | null) =>
    data(requestJson<Order>('POST', '/wallet/orders', { body: { code, amount } })),
  payChallenge: (order: Hex, device_id: Hex, proof: Proof) =>
    data(requestJson<Challenge>('POST', `/wallet/orders/${order}/challenge`, { body: { device_id, ...proof } })),
  /** `envelope` is header ‖ signature ‖ probe. */
  pay: (order: Hex, envelope: Body, key: string) =>
    requestJson<PaymentAnswer>('POST', `/wallet/orders/${order}/payment`, { body: envelope, key, timeoutMs: SLOW_MS }),
}
