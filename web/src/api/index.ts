/** The server's verbs, one function each. Failures are ApiErrors; see `client.ts`. */
import { requestBytes, requestJson, type Answer } from '@/api/client'
import type {
  Account,
  Challenge,
  ChallengeRequest,
  Deletion,
  Device,
  Enrolment,
  Hex,
  NewAccount,
  Proof,
  Session,
  Signed,
  Site,
  Verification,
} from '@/api/types'

export { ApiError } from '@/api/errors'
export type { Answer } from '@/api/client'
export type * from '@/api/types'

type Body = Uint8Array<ArrayBuffer>

/** An enrolment or a verification carries up to 74 KB and waits for the key holder. */
const SLOW_MS = 30_000

async function data<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).data
}

export const api = {
  site: () => data(requestJson<Site>('GET', '/site')),

  session: () => data(requestJson<Session>('GET', '/session')),
  logIn: (username: string, password: string) =>
    data(requestJson<Session>('POST', '/session', { body: { username, password } })),
  logOut: () => data(requestJson<undefined>('DELETE', '/session')),
  register: (account: NewAccount) => data(requestJson<Session>('POST', '/accounts', { body: account })),

  account: () => data(requestJson<Account>('GET', '/account')),
  rename: (display_name: string) => data(requestJson<Account>('PATCH', '/account', { body: { display_name } })),
  /** `giveUp` is exactly what is left in the wallet, in minor units; null where nothing is. */
  deleteAccount: (proof: Proof, giveUp: number | null) =>
    data(requestJson<undefined>('POST', '/account/deletion', { body: { ...proof, give_up: giveUp } })),

  challenge: (request: ChallengeRequest) => data(requestJson<Challenge>('POST', '/challenges', { body: request })),
  publicKey: (keyFingerprint: Hex) => requestBytes(`/keys/${keyFingerprint}`),

  devices: () => data(requestJson<Device[]>('GET', '/devices')),
  registerDevice: (device: Signed & { name: string; public_key: string }) =>
    data(requestJson<Device>('POST', '/devices', { body: device })),
  approveDevice: (id: Hex, signed: Signed) =>
    data(requestJson<Device>('POST', `/devices/${id}/approval`, { body: signed })),
  revokeDevice: (id: Hex, signed: Signed) =>
    data(requestJson<Device>('POST', `/devices/${id}/revocation`, { body: signed })),

  templateData: (id: Hex) => requestBytes(`/templates/${id}/data`, { timeoutMs: SLOW_MS }),
  /** `envelope` is header ‖ signature, 320 bytes. */
  deleteTemplate: (id: Hex, envelope: Body) =>
    data(requestJson<Deletion>('POST', `/templates/${id}/deletion`, { body: envelope })),

  /** `envelope` is header ‖ signature ‖ template, as long as its suite says; the answer carries stage timings. */
  enrol: (envelope: Body) => requestJson<Enrolment>('POST', '/enrolments', { body: envelope, timeoutMs: SLOW_MS }),
  /** `envelope` is header ‖ signature ‖ probe, as long as its suite says; the answer carries stage timings. */
  verify: (envelope: Body) => requestJson<Verification>('POST', '/verifications', { body: envelope, timeoutMs: SLOW_MS }),
}
