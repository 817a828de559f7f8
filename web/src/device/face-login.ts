/**
 * Logging in by face, for an account this device remembers (protocol §7.1). The device knocks with its signature, then
 * answers a challenge with a face; every refusal of the face says the same.
 */
import type { Hex, SignedIn } from '@/api'
import { fromBase64url, toBase64url, toHex } from '@/api/bytes'
import { signInApi } from '@/api/sign-in'
import { contextHash, Header, MessageType, Outcome, sha256, signHeader } from '@/protect'
import { renewable, settleOn, signedProbe, stillGood, ticketFor, type Seen, type Ticket } from './face'
import { selfAs } from './self'
import { alone, send, settle, type OnStep } from './sending'
import type { Alarm } from './store'

const LABEL = 'VFLOGIN'
const HASH_BYTES = 32

/** A ticket for one login, and whether the key holder would judge a face now. */
export interface LoginTicket {
  readonly ticket: Ticket
  readonly disabled: boolean
  readonly retryAfterS: number
}

export interface LoggedIn {
  readonly session: SignedIn
  readonly alarm: Alarm | null
}

/** Asked for while the person looks for their place. @throws ApiError face_login_refused for a device that was removed */
export async function openLogin(account: Hex): Promise<LoginTicket> {
  const terms = await signInApi.faceLogin()
  const seenAt = performance.now()
  const me = await selfAs(account, fromBase64url(terms.binding))
  const context = await contextHash(LABEL, me.origin, me.binding)
  const knock = new Header({
    type: MessageType.VERIFY,
    accountId: me.accountId,
    deviceId: me.key.id,
    challenge: new Uint8Array(HASH_BYTES),
    // The server's clock counts: one that is wrong here keeps nobody out.
    issuedMs: terms.server_time_ms + Math.round(performance.now() - seenAt),
    contextHash: context,
    bodyHash: await sha256(new Uint8Array()),
  })
  const askedAt = performance.now()
  const challenge = await signInApi.faceChallenge({
    header: toBase64url(knock.toBytes()),
    signature: toBase64url(await signHeader(me.key.privateKey, knock)),
  })
  const grant = { challenge, contextHash: context, askedAt }
  const fetchKey = (): ReturnType<typeof signInApi.faceKey> =>
    signInApi.faceKey(toHex(fromBase64url(challenge.challenge)))
  const ticket = await ticketFor(me, grant, 'verify', {}, fetchKey)
  return { ticket, disabled: challenge.disabled, retryAfterS: challenge.retry_after_s }
}

/** Logs in with what was seen; the embedding is overwritten. @throws ApiError with the refusal */
export async function logInByFace(opened: LoginTicket, seen: Seen, onStep: OnStep): Promise<LoggedIn> {
  const { ticket } = await usable(opened)
  const me = ticket.self
  const { envelope, sent } = await signedProbe(ticket, MessageType.VERIFY, seen, onStep)
  return alone(me, async () => {
    const { data } = await send(me, sent, onStep, () => signInApi.logInByFace(envelope))
    const { alarm } = await settle(me, data.receipt, { ...sent, outcome: Outcome.ACCEPTED })
    await settleOn(ticket)
    return { session: data, alarm }
  })
}

/** The ticket, or a new one where the person took their time. */
async function usable(opened: LoginTicket): Promise<LoginTicket> {
  if (stillGood(opened.ticket)) return opened
  renewable(opened.ticket)
  return openLogin(opened.ticket.self.account.id)
}
