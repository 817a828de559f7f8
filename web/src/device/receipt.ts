import type { Payment } from '@/api'
import { fromBase64url } from '@/api/bytes'
import { Receipt, type MessageType, type Outcome, type PaymentProof } from '@/protect'
import { checkCount } from './decisions'
import { DeviceError } from './errors'
import { remember } from './memory'
import type { Self } from './self'
import type { Alarm } from './store'

type Bytes = Uint8Array<ArrayBuffer>

/** What the receipt must say to be the answer to what was sent. */
export interface Asked {
  readonly type: MessageType
  readonly header: Bytes
  readonly templateHash: Bytes
  /** What the server said the answer was, null where it did not say; it may not differ from what was signed. */
  readonly outcome: Outcome | null
}

/**
 * The key holder's own word for exactly this message; a server cannot make it up.
 * @throws DeviceError receipt_invalid with the check that failed
 */
export async function checkReceipt(self: Self, text: string, asked: Asked): Promise<Receipt> {
  try {
    const receipt = Receipt.parse(fromBase64url(text))
    await receipt.verify(self.keyHolder, asked.header)
    if (receipt.decision !== asked.type) throw new RangeError('type')
    if (asked.outcome !== null && receipt.outcome !== asked.outcome) throw new RangeError('outcome')
    if (!receipt.templateHash.every((byte, index) => byte === asked.templateHash[index])) throw new RangeError('template')
    return receipt
  } catch (error) {
    throw new DeviceError('receipt_invalid', { check: error instanceof Error ? error.message : '' }, { cause: error })
  }
}

/** What proves a payment, as bytes. */
export function proofOf({ proof }: Pick<Payment, 'proof'>): PaymentProof {
  return {
    statement: fromBase64url(proof.statement),
    header: fromBase64url(proof.header),
    signature: fromBase64url(proof.signature),
    devicePublicKey: fromBase64url(proof.device_public_key),
    receipt: fromBase64url(proof.receipt),
  }
}

/** Counts a request before it leaves, so that a receipt which never comes is not forgotten. */
export async function countRequest(account: string): Promise<void> {
  await remember(account, (memory) => ({ unanswered: memory.unanswered + 1 }))
}

/** The server says that it refused: nothing should have been counted, and the next receipt will tell. */
export async function uncountRequest(account: string): Promise<void> {
  await remember(account, (memory) => ({ unanswered: Math.max(0, memory.unanswered - 1) }))
}

/** Takes a receipt's count in; an alarm where it does not fit what this device asked for, kept until dismissed. */
export async function countReceipt(account: string, total: number): Promise<Alarm | null> {
  const { alarm } = await remember(account, (memory) => {
    const found = checkCount(memory, total)
    const alarming = found.unexplained > 0 || found.rolledBack
    return {
      decisions: total,
      unanswered: 0,
      alarm: alarming ? { ...found, at: Date.now() } : memory.alarm,
    }
  })
  return alarm
}
