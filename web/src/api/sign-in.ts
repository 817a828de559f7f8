/** Ways in besides the password, and what one has to say about them: face, passkeys, sessions. */
import { requestBytes, requestJson, type Answer } from '@/api/client'
import type {
  FaceLogin,
  FaceLoginChallenge,
  FaceLoginTerms,
  Hex,
  Passkey,
  PasskeyAssertion,
  PasskeyAttestation,
  PasskeyCreation,
  PasskeyRequest,
  Presence,
  Proof,
  Signed,
  SignedIn,
} from '@/api/types'

type Body = Uint8Array<ArrayBuffer>

const SLOW_MS = 30_000

async function data<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).data
}

export const signInApi = {
  /** What a face login from this browser is bound to. */
  faceLogin: () => data(requestJson<FaceLoginTerms>('GET', '/face-login')),
  faceChallenge: (knock: Signed) =>
    data(requestJson<FaceLoginChallenge>('POST', '/face-login/challenges', { body: knock })),
  faceKey: (challenge: Hex) => requestBytes(`/face-login/challenges/${challenge}/key`),
  /** `envelope` is header ‖ signature ‖ probe. */
  logInByFace: (envelope: Body) =>
    requestJson<FaceLogin>('POST', '/face-login', { body: envelope, timeoutMs: SLOW_MS }),

  passkeySignIn: () => data(requestJson<PasskeyRequest>('POST', '/passkeys/sign-in')),
  logInByPasskey: (assertion: PasskeyAssertion) =>
    data(requestJson<SignedIn>('POST', '/session/passkey', { body: assertion })),

  passkeys: () => data(requestJson<Passkey[]>('GET', '/passkeys')),
  passkeyCreation: (proof: Proof) =>
    data(requestJson<PasskeyCreation>('POST', '/passkeys/registration', { body: proof })),
  addPasskey: (made: PasskeyAttestation) => data(requestJson<Passkey>('POST', '/passkeys', { body: made })),
  removePasskey: (id: Hex) => data(requestJson<undefined>('DELETE', `/passkeys/${id}`)),
  passkeyConfirmation: () => data(requestJson<PasskeyRequest>('POST', '/passkeys/confirmation')),

  sessions: () => data(requestJson<Presence[]>('GET', '/sessions')),
  endSession: (id: Hex) => data(requestJson<undefined>('DELETE', `/sessions/${id}`)),
  endAllSessions: () => data(requestJson<undefined>('DELETE', '/sessions')),
  changePassword: (proof: Proof, new_password: string) =>
    data(requestJson<SignedIn>('POST', '/account/password', { body: { ...proof, new_password } })),
}
