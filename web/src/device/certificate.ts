import { api, type Challenge, type Hex } from '@/api'
import { fromBase64url, toHex } from '@/api/bytes'
import { KeyCert, KeyPurpose, schemeOf, sha256, type Scheme, type SchemeName } from '@/protect'
import { DeviceError } from './errors'
import { recall, remember } from './memory'
import type { Self } from './self'
import type { AccountMemory } from './store'

type Bytes = Uint8Array<ArrayBuffer>

const CLOCK_SLACK_MS = 5 * 60_000

/** An enrolment brings an epoch of its own; a verification uses the account's. */
export type KeyUse = 'enrol' | 'verify'

/** What the key holder vouches for: the key of one epoch of the account, and which protection it is for. */
export interface Certified {
  readonly scheme: Scheme
  readonly epoch: number
  /** `keyBytes` of the scheme. */
  readonly key: Bytes
}

/**
 * The account's key for `challenge`: fetched from the server, vouched for by the pinned key holder, never older than the
 * last one remembered, newer than it for an enrolment, and of the wanted protection where one is wanted. `pinKey`
 * remembers it.
 *
 * Its dates are checked by this device's own clock: by the server's, a key that the key holder gave up long ago could be
 * offered again.
 * @throws DeviceError certificate_invalid with the check that failed, clock_wrong where this clock may be the reason
 */
export async function certifiedKey(
  self: Self,
  challenge: Challenge,
  use: KeyUse,
  wanted?: SchemeName,
  fetchKey: (fingerprint: Hex) => Promise<Bytes> = api.publicKey,
): Promise<Certified> {
  if (challenge.key_cert === null || challenge.key_fp === null) throw refused('missing')
  const cert = await readCert(fromBase64url(challenge.key_cert), self.keyHolder)
  const scheme = schemeOf(cert.suite)
  const key = await fetchKey(toHex(fromBase64url(challenge.key_fp)))
  const memory = await recall(self.account.id)
  const wrong = firstWrong({
    cert,
    use,
    accountId: self.accountId,
    fingerprint: await sha256(key),
    memory,
    now: Date.now(),
  })
  if (wrong) throw failed(wrong, challenge.server_time_ms)
  if (key.length !== scheme.keyBytes) throw refused('key size')
  if (wanted !== undefined && scheme.name !== wanted) throw refused('protection')
  return { scheme, epoch: cert.epoch, key }
}

/**
 * Remembers the checked key of `challenge` as the account's. The key of an enrolment becomes that only when its template
 * was accepted: until then, and whenever that fails, the key before it goes on being the account's.
 */
export async function pinKey(account: string, challenge: Challenge): Promise<void> {
  const cert = KeyCert.parse(fromBase64url(challenge.key_cert ?? ''))
  await remember(account, ({ epoch }) => (cert.epoch < epoch ? {} : { keyFp: toHex(cert.keyFp), epoch: cert.epoch }))
}

interface Claims {
  readonly use: KeyUse
  readonly cert: Pick<KeyCert, 'purpose' | 'subjectId' | 'epoch' | 'notBefore' | 'notAfter' | 'keyFp'>
  readonly accountId: Bytes
  readonly fingerprint: Bytes
  readonly memory: AccountMemory
  readonly now: number
}

/** The first check of protocol §3 that fails, or null. */
export function firstWrong({ cert, use, accountId, fingerprint, memory, now }: Claims): string | null {
  const keyFp = toHex(cert.keyFp)
  const checks: Record<string, boolean> = {
    purpose: cert.purpose === KeyPurpose.ACCOUNT,
    subject: toHex(cert.subjectId) === toHex(accountId),
    dates: inForce(cert, now),
    fingerprint: keyFp === toHex(fingerprint),
    epoch: use === 'enrol' ? cert.epoch > memory.epoch : cert.epoch >= memory.epoch,
    'pinned key': cert.epoch > memory.epoch || memory.keyFp === null || memory.keyFp === keyFp,
  }
  return Object.keys(checks).find((name) => !checks[name]) ?? null
}

/** Whether `now`, by this device's own clock, is within the certificate's dates. */
export function inForce({ notBefore, notAfter }: Pick<KeyCert, 'notBefore' | 'notAfter'>, now: number): boolean {
  return notBefore - CLOCK_SLACK_MS <= now && now <= notAfter + CLOCK_SLACK_MS
}

/** What to say of a failed check. Dates that fail by both clocks, this device's and the server's, are the key's fault. */
export function failed(check: string, serverMs: number): DeviceError {
  const agreed = Math.abs(Date.now() - serverMs) <= CLOCK_SLACK_MS
  return check === 'dates' && !agreed ? new DeviceError('clock_wrong') : refused(check)
}

/** A certificate that the pinned key holder signed. @throws DeviceError certificate_invalid */
export async function readCert(bytes: Bytes, keyHolder: Bytes): Promise<KeyCert> {
  try {
    const cert = KeyCert.parse(bytes)
    await cert.verify(keyHolder)
    return cert
  } catch (error) {
    throw refused('signature', error)
  }
}

export function refused(check: string, cause?: unknown): DeviceError {
  return new DeviceError('certificate_invalid', { check }, { cause })
}
