import { api, type Challenge, type ChallengeType, type Signed } from '@/api'
import { concatBytes, fromBase64url, toBase64url } from '@/api/bytes'
import { Header, MessageType, sha256, signHeader, type HeaderFields, type SchemeName } from '@/protect'
import { DeviceError } from './errors'
import { deviceId, type Self } from './self'

type Bytes = Uint8Array<ArrayBuffer>
const NOTHING: Bytes = new Uint8Array()

/** A challenge, what it was asked for, and when by this machine's steady clock. */
export interface Grant {
  readonly challenge: Challenge
  readonly contextHash: Bytes
  readonly askedAt: number
}

/** What an enrolment is asked for with: the protection, and the password where a template is replaced. */
export interface Wish {
  readonly scheme?: SchemeName
  readonly password?: string
}

/** Asks the key holder, through the server, for a challenge that only this device and this context can use. */
export async function askChallenge(
  self: Self,
  type: ChallengeType,
  contextHash: Bytes,
  wish: Wish = {},
): Promise<Grant> {
  const askedAt = performance.now()
  const challenge = await api.challenge({
    type,
    device_id: deviceId(self),
    context_hash: toBase64url(contextHash),
    ...wish,
  })
  return { challenge, contextHash, askedAt }
}

/** Milliseconds until the challenge is of no more use; the server's clock counts, not this machine's. */
export function timeLeft({ challenge, askedAt }: Grant): number {
  return challenge.expires_ms - challenge.server_time_ms - (performance.now() - askedAt)
}

export interface Message {
  readonly header: Bytes
  readonly signature: Bytes
}

/** The header that answers `grant`, signed by this device's key. */
export async function sign(
  self: Self,
  type: MessageType,
  grant: Grant,
  about: { body?: Bytes } & Partial<Pick<HeaderFields, 'suite' | 'keyFp' | 'modelFp' | 'templateHash'>> = {},
): Promise<Message> {
  const { body = NOTHING, ...fields } = about
  const header = new Header({
    type,
    accountId: self.accountId,
    deviceId: self.key.id,
    challenge: fromBase64url(grant.challenge.challenge),
    issuedMs: grant.challenge.server_time_ms + Math.round(performance.now() - grant.askedAt),
    contextHash: grant.contextHash,
    bodyHash: await sha256(body),
    ...fields,
  })
  return { header: header.toBytes(), signature: await signHeader(self.key.privateKey, header) }
}

/** The fingerprint of the key that the message is to be made with. */
export function keyFp(grant: Grant): Bytes {
  return fromBase64url(grant.challenge.key_fp ?? '')
}

/** The template that counts now. @throws DeviceError nothing_enrolled */
export function currentTemplate(grant: Grant): Bytes {
  if (grant.challenge.template_hash === null) throw new DeviceError('nothing_enrolled')
  return fromBase64url(grant.challenge.template_hash)
}

/** A message without a body as octets, 320 bytes. */
export function joined({ header, signature }: Message): Bytes {
  return concatBytes(header, signature)
}

export function asJson({ header, signature }: Message): Signed {
  return { header: toBase64url(header), signature: toBase64url(signature) }
}
