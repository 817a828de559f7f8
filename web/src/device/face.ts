/** What one does with one's own face: enrol it, recognise oneself, delete the template. */
import { api, type Hex, type Template, type Verification } from '@/api'
import { concatBytes } from '@/api/bytes'
import {
  contextHash,
  isKeyed,
  MessageType,
  modelFingerprint,
  Outcome,
  schemeNamed,
  sha256,
  type HeaderFields,
  type Receipt,
} from '@/protect'
import { certifiedKey, pinKey, type Certified, type KeyUse } from './certificate'
import { templateProtector } from './engines'
import { DeviceError } from './errors'
import { remember } from './memory'
import { askChallenge, currentTemplate, joined, keyFp, sign, timeLeft, type Grant, type Wish } from './messages'
import { ensureDevice } from './registration'
import type { Self } from './self'
import { alone, counted, send, settle, type OnStep, type Sent } from './sending'
import type { Alarm } from './store'
import { askToStay, dropTokensBefore, forgetTokens, makeToken, tokenOf } from './tokens'

type Bytes = Uint8Array<ArrayBuffer>

/** Asked for while the person is still in front of the camera, so that the server prepares and nobody waits. */
export interface Ticket {
  readonly self: Self
  readonly purpose: KeyUse
  readonly grant: Grant
  readonly certified: Certified
  /** What was wished for, for the case that the challenge has to be asked for again. */
  readonly wish: Wish
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
const NO_TOKEN: Bytes = new Uint8Array()
const NO_RECORD: Bytes = new Uint8Array()
const OUTCOMES = {
  accepted: Outcome.ACCEPTED,
  not_accepted: Outcome.NOT_ACCEPTED,
  retry_later: Outcome.RETRY_LATER,
  disabled: Outcome.DISABLED,
} as const

/**
 * A challenge and the key to protect with. An enrolment names its protection; replacing a template needs the password.
 * @throws DeviceError token_elsewhere for a verification that this device cannot make
 */
export async function openTicket(purpose: Ticket['purpose'], wish: Wish = {}): Promise<Ticket> {
  const me = await ensureDevice()
  return ticketFor(me, await ask(me, purpose, wish), purpose, wish)
}

/** The ticket of a challenge that was asked for; see `openTicket`. */
export async function ticketFor(
  me: Self,
  grant: Grant,
  purpose: KeyUse,
  wish: Wish = {},
  fetchKey?: (fingerprint: Hex) => Promise<Bytes>,
): Promise<Ticket> {
  const certified = await certifiedKey(me, grant.challenge, purpose, wish.scheme, fetchKey)
  if (purpose === 'verify') wipe(await tokenFor(me, certified))
  else if (isKeyed(certified.scheme)) askToStay()
  void templateProtector(certified.scheme.name)
  return { self: me, purpose, grant, certified, wish }
}

/** What a camera saw: the embedding (128 components), and the record of the movements it came after, if any. */
export interface Seen {
  readonly embedding: Float32Array
  readonly liveness?: Bytes
}

/** Whether a message can still be signed and judged before the challenge ends. */
export function stillGood({ grant }: Ticket): boolean {
  return timeLeft(grant) > LEAST_TIME_MS
}

/** Enrols `embedding` (128 centred unit components), which is overwritten once it is protected. */
export async function enrol(ticket: Ticket, embedding: Float32Array, onStep: OnStep): Promise<Enrolled> {
  const ready = await usable(ticket)
  const { self: me, grant, certified } = ready
  const { scheme, epoch } = certified
  const token = isKeyed(scheme) ? await makeToken(me.account.id, epoch) : NO_TOKEN
  const body = await protect('protectTemplate', certified, token, embedding, onStep)
  const message = await sign(me, MessageType.ENROL, grant, { body, ...(await named(grant, certified)) })
  const envelope = concatBytes(message.header, message.signature, body)
  const sent = { type: MessageType.ENROL, header: message.header, templateHash: await sha256(body) }
  return alone(me, async () => {
    const { template, receipt } = (await send(me, sent, onStep, () => api.enrol(envelope))).data
    const settled = await settle(me, receipt, { ...sent, outcome: Outcome.ACCEPTED })
    await settleOn(ready)
    return { template, body, ...settled }
  })
}

/** A signed question whether a face is the enrolled person's, and what its receipt must be the answer to. */
export interface Probe {
  readonly envelope: Bytes
  readonly sent: Sent
}

/** Protects the embedding, which is overwritten, and signs for it and for what follows it. */
export async function signedProbe(
  { self: me, grant, certified }: Ticket,
  type: MessageType,
  { embedding, liveness = NO_RECORD }: Seen,
  onStep: OnStep,
): Promise<Probe> {
  const templateHash = currentTemplate(grant)
  const token = await tokenFor(me, certified)
  const probe = await protect('protectProbe', certified, token, embedding, onStep)
  const body = concatBytes(probe, liveness)
  const message = await sign(me, type, grant, { body, templateHash, ...(await named(grant, certified)) })
  return {
    envelope: concatBytes(message.header, message.signature, body),
    sent: { type, header: message.header, templateHash },
  }
}

/** Asks whether `embedding` is the enrolled person's; it is overwritten once it is protected. */
export async function verify(ticket: Ticket, embedding: Float32Array, onStep: OnStep): Promise<Verified> {
  const ready = await usable(ticket)
  const me = ready.self
  const { envelope, sent } = await signedProbe(ready, MessageType.VERIFY, { embedding }, onStep)
  return alone(me, async () => {
    const { outcome, retry_after_s, receipt } = (await send(me, sent, onStep, () => api.verify(envelope))).data
    const settled = await settle(me, receipt, { ...sent, outcome: OUTCOMES[outcome] })
    if (settled.receipt.outcome === Outcome.ACCEPTED) await settleOn(ready)
    return { outcome, retryAfterS: retry_after_s, ...settled }
  })
}

/** Has the key holder erase the template's key and the server the template; the receipt is the proof. */
export async function deleteTemplate(template: Template): Promise<{ receipt: Receipt; alarm: Alarm | null }> {
  const me = await ensureDevice()
  const grant = await ask(me, 'delete')
  const templateHash = currentTemplate(grant)
  const { suite } = schemeNamed(template.scheme)
  const message = await sign(me, MessageType.DELETE, grant, { suite, keyFp: keyFp(grant), templateHash })
  const sent = { type: MessageType.DELETE, header: message.header, templateHash }
  return alone(me, async () => {
    const { receipt } = await counted(me, sent, () => api.deleteTemplate(template.id, joined(message)))
    const settled = await settle(me, receipt, { ...sent, outcome: Outcome.ACCEPTED })
    await forgetTokens(me.account.id)
    await remember(me.account.id, () => ({ scheme: null }))
    return settled
  })
}

async function ask(me: Self, type: keyof typeof LABELS, wish?: Wish): Promise<Grant> {
  return askChallenge(me, type, await contextHash(LABELS[type], me.origin, me.binding), wish)
}

/** The secret behind the account's template. @throws DeviceError token_elsewhere */
async function tokenFor(me: Self, { scheme, epoch }: Certified): Promise<Bytes> {
  const token = isKeyed(scheme) ? await tokenOf(me.account.id, epoch) : NO_TOKEN
  if (!token) throw new DeviceError('token_elsewhere', { scheme: scheme.name })
  return token
}

/** Protects, and overwrites what was protected and with which secret. */
async function protect(
  verb: 'protectTemplate' | 'protectProbe',
  { scheme, key }: Certified,
  token: Bytes,
  embedding: Float32Array,
  onStep: OnStep,
): Promise<Bytes> {
  const started = performance.now()
  try {
    const protector = await templateProtector(scheme.name)
    const body = await protector[verb](embedding, { scheme: scheme.name, key, token })
    onStep('protected', performance.now() - started)
    return body
  } finally {
    embedding.fill(0)
    wipe(token)
  }
}

function wipe(token: Bytes): void {
  token.fill(0)
}

/** What a header says about the protection of its body. */
async function named(grant: Grant, { scheme }: Certified): Promise<Pick<HeaderFields, 'suite' | 'keyFp' | 'modelFp'>> {
  return { suite: scheme.suite, keyFp: keyFp(grant), modelFp: await modelFingerprint(scheme.name) }
}

/**
 * This epoch is the account's: its key and protection are remembered, and no token of an older one is needed any more.
 * Only a checked receipt of an acceptance says so: a certificate is older than the judgement, and may be of an epoch
 * that never comes to count.
 */
export async function settleOn({ self: me, grant, certified }: Ticket): Promise<void> {
  const { scheme, epoch } = certified
  await pinKey(me.account.id, grant.challenge)
  await remember(me.account.id, () => ({ scheme: scheme.name }))
  await dropTokensBefore(me.account.id, epoch)
}

/** Another challenge asks for other movements. @throws DeviceError movements_over where some were made for this one */
export function renewable({ grant }: Ticket): void {
  if (grant.challenge.liveness.length > 0) throw new DeviceError('movements_over')
}

/** The ticket, or a new one where the person took their time. */
async function usable(ticket: Ticket): Promise<Ticket> {
  return stillGood(ticket) ? ticket : openTicket(ticket.purpose, ticket.wish)
}
