/** What one does with one's own face: enrol it, recognise oneself, delete the template. */
import { api, ApiError, type Answer, type Template, type Verification } from '@/api'
import { concatBytes, fromBase64url } from '@/api/bytes'
import type { Step } from '@/components/camera/steps'
import { contextHash, MessageType, Outcome, sha256, type Receipt } from '@/protect'
import { certifiedKey, pinKey } from './certificate'
import { templateProtector } from './engines'
import { DeviceError } from './errors'
import { askChallenge, sign, timeLeft, type Grant, type Message } from './messages'
import { checkReceipt, countReceipt, countRequest, uncountRequest, type Asked } from './receipt'
import { ensureDevice } from './registration'
import type { Self } from './self'
import type { Alarm } from './store'

type Bytes = Uint8Array<ArrayBuffer>
/** What a receipt must be the answer to. */
type Sent = Omit<Asked, 'outcome'>
type OnStep = (step: Step, milliseconds: number) => void

/** Asked for while the person is still in front of the camera, so that the server prepares and nobody waits. */
export interface Ticket {
  readonly self: Self
  readonly purpose: 'enrol' | 'verify'
  readonly grant: Grant
  readonly publicKey: Bytes
  readonly password: string | undefined
}

export interface Enrolled {
  readonly template: Template
  readonly receipt: Receipt
  /** The protected template as the server received it. */
  readonly body: Bytes
  readonly alarm: Alarm | null
}

export interface Verified {
  readonly outcome: Verification['outcome']
  readonly retryAfterS: number
  readonly receipt: Receipt
  readonly alarm: Alarm | null
}

const LABELS = { enrol: 'VFENROL', verify: 'VFLOGIN', delete: 'VFDELETE' } as const
const LEAST_TIME_MS = 15_000
const OUTCOMES = {
  accepted: Outcome.ACCEPTED,
  not_accepted: Outcome.NOT_ACCEPTED,
  retry_later: Outcome.RETRY_LATER,
  disabled: Outcome.DISABLED,
} as const

/** A challenge and the key to encrypt under. Replacing a template needs the account's password. */
export async function openTicket(purpose: Ticket['purpose'], password?: string): Promise<Ticket> {
  const me = await ensureDevice()
  void templateProtector()
  const grant = await ask(me, purpose, password)
  const publicKey = await certifiedKey(me, grant.challenge)
  if (purpose === 'verify') await pinKey(me.account.id, grant.challenge)
  return { self: me, purpose, grant, publicKey, password }
}

/** Enrols `embedding` (128 centred unit components), which is overwritten once it is protected. */
export async function enrol(ticket: Ticket, embedding: Float32Array, onStep: OnStep): Promise<Enrolled> {
  const { self: me, grant, publicKey } = await usable(ticket)
  const body = await timed('protected', onStep, async () =>
    (await templateProtector()).protectTemplate(embedding, publicKey),
  )
  embedding.fill(0)
  const message = await sign(me, MessageType.ENROL, grant, { body, keyFp: keyFp(grant), modelFp: me.modelFp })
  const envelope = concatBytes(message.header, message.signature, body)
  const sent = { type: MessageType.ENROL, header: message.header, templateHash: await sha256(body) }
  return alone(me, async () => {
    const { template, receipt } = (await send(me, sent, onStep, () => api.enrol(envelope))).data
    const settled = await settle(me, receipt, { ...sent, outcome: Outcome.ACCEPTED })
    await pinKey(me.account.id, grant.challenge)
    return { template, body, ...settled }
  })
}

/** Asks whether `embedding` is the enrolled person's; it is overwritten once it is protected. */
export async function verify(ticket: Ticket, embedding: Float32Array, onStep: OnStep): Promise<Verified> {
  const { self: me, grant, publicKey } = await usable(ticket)
  const body = await timed('protected', onStep, async () =>
    (await templateProtector()).protectProbe(embedding, publicKey),
  )
  embedding.fill(0)
  const templateHash = currentTemplate(grant)
  const message = await sign(me, MessageType.VERIFY, grant, {
    body,
    keyFp: keyFp(grant),
    modelFp: me.modelFp,
    templateHash,
  })
  const envelope = concatBytes(message.header, message.signature, body)
  const sent = { type: MessageType.VERIFY, header: message.header, templateHash }
  return alone(me, async () => {
    const { outcome, retry_after_s, receipt } = (await send(me, sent, onStep, () => api.verify(envelope))).data
    const settled = await settle(me, receipt, { ...sent, outcome: OUTCOMES[outcome] })
    return { outcome, retryAfterS: retry_after_s, ...settled }
  })
}

/** Has the key holder erase the template's key and the server the template; the receipt is the proof. */
export async function deleteTemplate(template: Template): Promise<{ receipt: Receipt; alarm: Alarm | null }> {
  const me = await ensureDevice()
  const grant = await ask(me, 'delete')
  const templateHash = currentTemplate(grant)
  const message = await sign(me, MessageType.DELETE, grant, { keyFp: keyFp(grant), templateHash })
  const sent = { type: MessageType.DELETE, header: message.header, templateHash }
  return alone(me, async () => {
    const { receipt } = await counted(me, sent, () => api.deleteTemplate(template.id, joined(message)))
    return settle(me, receipt, { ...sent, outcome: Outcome.ACCEPTED })
  })
}

async function ask(me: Self, type: keyof typeof LABELS, password?: string): Promise<Grant> {
  return askChallenge(me, type, await contextHash(LABELS[type], me.origin, me.binding), password)
}

/** The ticket, or a new one where the person took their time. */
async function usable(ticket: Ticket): Promise<Ticket> {
  return timeLeft(ticket.grant) > LEAST_TIME_MS ? ticket : openTicket(ticket.purpose, ticket.password)
}

function keyFp(grant: Grant): Bytes {
  return fromBase64url(grant.challenge.key_fp ?? '')
}

function currentTemplate(grant: Grant): Bytes {
  if (grant.challenge.template_hash === null) throw new DeviceError('nothing_enrolled')
  return fromBase64url(grant.challenge.template_hash)
}

function joined({ header, signature }: Message): Bytes {
  return concatBytes(header, signature)
}

/** Sends, and tells the way there and back from the server's own work. */
async function send<T>(me: Self, sent: Sent, onStep: OnStep, request: () => Promise<Answer<T>>): Promise<Answer<T>> {
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
async function counted<T>(me: Self, sent: Sent, request: () => Promise<T>): Promise<T> {
  await countRequest(me.account.id)
  try {
    return await request()
  } catch (error) {
    if (error instanceof ApiError) await countRefusal(me, sent, error)
    throw error
  }
}

/** A judgement always comes with its receipt, also with a refusal; without one the key holder has not judged. */
async function countRefusal(me: Self, sent: Sent, { status, details }: ApiError): Promise<void> {
  if ('receipt' in details) {
    const text = typeof details.receipt === 'string' ? details.receipt : ''
    await settle(me, text, { ...sent, outcome: null })
  } else if (status >= 400 && status < 500) {
    await uncountRequest(me.account.id)
  }
}

/** One decision at a time, in all tabs: two side by side would spoil each other's count. */
async function alone<T>(me: Self, work: () => Promise<T>): Promise<T> {
  return await navigator.locks.request(`veilface-${me.account.id}`, work)
}

async function settle(me: Self, text: string, asked: Asked): Promise<{ receipt: Receipt; alarm: Alarm | null }> {
  const receipt = await checkReceipt(me, text, asked)
  return { receipt, alarm: await countReceipt(me.account.id, receipt.totalDecisions) }
}

async function timed<T>(step: Step, onStep: OnStep, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  onStep(step, performance.now() - started)
  return result
}
