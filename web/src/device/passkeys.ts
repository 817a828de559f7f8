/** Passkeys of this device and its neighbours: the browser keeps them, the server knows their public keys. */
import type { Passkey, PasskeyAssertion, PasskeyRequest, Proof, SignedIn } from '@/api'
import { fromBase64url, toBase64url } from '@/api/bytes'
import { signInApi } from '@/api/sign-in'

/** The person closed the browser's own question, or let it run out. */
export class PasskeyCancelled extends Error {}

/** Whether this browser knows passkeys at all. */
export function passkeysPossible(): boolean {
  return 'PublicKeyCredential' in window
}

/** @throws PasskeyCancelled, ApiError */
export async function signInWithPasskey(): Promise<SignedIn> {
  return signInApi.logInByPasskey(await asserted(await signInApi.passkeySignIn()))
}

/** Shows once more that it is the person. @throws PasskeyCancelled, ApiError */
export async function passkeyProof(): Promise<Proof> {
  return { passkey: await asserted(await signInApi.passkeyConfirmation()) }
}

/** Makes a passkey and tells the server. @throws PasskeyCancelled, ApiError */
export async function addPasskey(proof: Proof, name: string): Promise<Passkey> {
  const wanted = await signInApi.passkeyCreation(proof)
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: wanted.rp,
        user: { id: fromBase64url(wanted.user.id), name: wanted.user.name, displayName: wanted.user.display_name },
        challenge: fromBase64url(wanted.challenge),
        pubKeyCredParams: wanted.algorithms.map((alg) => ({ type: 'public-key', alg })),
        excludeCredentials: wanted.exclude.map((id) => ({ type: 'public-key', id: fromBase64url(id) })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
        timeout: wanted.timeout_ms,
      },
    }),
  )
  const response = made.response as AuthenticatorAttestationResponse
  return signInApi.addPasskey({
    name,
    credential_id: bytes(made.rawId),
    client_data: bytes(response.clientDataJSON),
    attestation_object: bytes(response.attestationObject),
  })
}

async function asserted({ challenge, rp_id, allow, timeout_ms }: PasskeyRequest): Promise<PasskeyAssertion> {
  const given = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: fromBase64url(challenge),
        rpId: rp_id,
        allowCredentials: allow.map((id) => ({ type: 'public-key', id: fromBase64url(id) })),
        userVerification: 'required',
        timeout: timeout_ms,
      },
    }),
  )
  const response = given.response as AuthenticatorAssertionResponse
  return {
    credential_id: bytes(given.rawId),
    client_data: bytes(response.clientDataJSON),
    authenticator_data: bytes(response.authenticatorData),
    signature: bytes(response.signature),
    user_handle: response.userHandle ? bytes(response.userHandle) : null,
  }
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await ask()
    if (credential instanceof PublicKeyCredential) return credential
  } catch (error) {
    throw new PasskeyCancelled('passkey', { cause: error })
  }
  throw new PasskeyCancelled('passkey')
}

function bytes(buffer: ArrayBuffer): string {
  return toBase64url(new Uint8Array(buffer))
}
