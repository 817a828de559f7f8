/** One decision of the key holder: asked for, counted, and its receipt taken in. */
import { ApiError, type Answer } from '@/api'
import type { Step } from '@/components/camera/steps'
import type { Receipt } from '@/protect'
import { recall } from './memory'
import { checkReceipt, countReceipt, countRequest, uncountRequest, type Asked } from './receipt'
import type { Self } from './self'
import type { Alarm } from './store'

/** What a receipt must be the answer to. */
export type Sent = Omit<Asked, 'outcome'>
export type OnStep = (step: Step, milliseconds: number) => void

/** Sends, and tells the way there and back from the server's own work. */
export async function send<T>(me: Self, sent: Sent, onStep: OnStep, request: () => Promise<Answer<T>>): Promise<Answer<T>> {
  const started = performance.now()
  const answer = await counted(me, sent, request)
  const both = performance.now() - started
  const work = Object.values(answer.timings).reduce((sum, stage) => sum + stage, 0)
  onStep('sent', Math.max(0, both - work))
  onStep('answered', work)
  return answer
}

/**
 * One request that makes the key holder decide, counted before it leaves.
 * @throws DeviceError receipt_invalid instead of the server's refusal, where that brings a receipt that is none
 */
export async function counted<T>(me: Self, sent: Sent, request: () => Promise<T>): Promise<T> {
  await countRequest(me.account.id)
  return refusalCounted(me, sent, request)
}

/** The same request once more: it was counted when it left first. */
export async function refusalCounted<T>(me: Self, sent: Sent, request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    if (error instanceof ApiError) await countRefusal(me, sent, error)
    throw error
  }
}

/** The one refusal that tells nothing, not even whether the key holder has judged. */
const SILENT = 'server.face_login_refused'

/** A judgement comes with its receipt, also with a refusal; without one the key holder has not judged. */
async function countRefusal(me: Self, sent: Sent, { status, code, details }: ApiError): Promise<void> {
  if ('receipt' in details) {
    const text = typeof details.receipt === 'string' ? details.receipt : ''
    await settle(me, text, { ...sent, outcome: null })
  } else if (status >= 400 && status < 500 && code !== SILENT) {
    await uncountRequest(me.account.id)
  }
}

/** One decision at a time, in all tabs: two side by side would spoil each other's count. */
export async function alone<T>(me: Self, work: () => Promise<T>): Promise<T> {
  return await navigator.locks.request(`veilface-${me.account.id}`, work)
}

/**
 * The receipt of a request that was sent again. It may be the stored answer to the first sending, older than what this
 * device has seen since; then it says nothing new about the count. @throws DeviceError receipt_invalid
 */
export async function settleLate(me: Self, text: string, asked: Asked): Promise<Receipt> {
  const receipt = await checkReceipt(me, text, asked)
  const { decisions } = await recall(me.account.id)
  if (decisions === null || receipt.totalDecisions > decisions) await countReceipt(me.account.id, receipt.totalDecisions)
  return receipt
}

/** The receipt, checked and counted, and the alarm it raises. @throws DeviceError receipt_invalid */
export async function settle(me: Self, text: string, asked: Asked): Promise<{ receipt: Receipt; alarm: Alarm | null }> {
  const receipt = await checkReceipt(me, text, asked)
  return { receipt, alarm: await countReceipt(me.account.id, receipt.totalDecisions) }
}
