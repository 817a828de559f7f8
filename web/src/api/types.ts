/** The server's words under the names the pages use, from the schema it exports (`npm run api` makes `schema.d.ts`). */
import type { components } from './schema'

type Schemas = components['schemas']

/** 16 or 32 bytes as lower-case hexadecimal digits. */
export type Hex = string

export type Account = Schemas['Account']
export type Challenge = Schemas['Challenge']
export type ChallengeRequest = Schemas['ChallengeRequest']
export type ChallengeType = ChallengeRequest['type']
export type Device = Schemas['Device']
export type Enrolment = Schemas['Enrolment']
export type Deletion = Schemas['Deletion']
export type NewAccount = Schemas['Registration']
export type Profile = Schemas['Profile']
export type Session = Schemas['Session']
export type Site = Schemas['Site']
export type Template = Schemas['Template']
export type Verification = Schemas['Verification']
export type Words = Schemas['Localised']

/** A signed header, as every change of a device carries one. */
export type Signed = Schemas['SignedOrder']

export type Wallet = Schemas['Wallet']
export type PayeeCode = Schemas['PayeeCode']
export type Payee = Schemas['Payee']
export type Order = Schemas['Order']
export type PaymentAnswer = Schemas['PaymentAnswer']
export type Payment = Schemas['Payment']
export type Movement = Schemas['Movement']
export type Movements = Schemas['Movements']

export type JoiningChallenge = Schemas['JoiningChallenge']
export type Kiosk = Schemas['Kiosk']
export type FurtherKiosk = Schemas['FurtherKiosk']
export type KioskState = Schemas['KioskState']
export type Found = Schemas['Found']
export type Person = Schemas['Person']
export type People = Schemas['People']

export type Gallery = Schemas['Gallery']
export type Galleries = Schemas['Galleries']
export type MembershipRequest = Schemas['MembershipRequest']
export type Membership = Schemas['Membership']
export type Left = Schemas['Left']

export type FaceLogin = Schemas['FaceLogin']
export type FaceLoginChallenge = Schemas['FaceLoginChallenge']
export type FaceLoginTerms = Schemas['FaceLoginTerms']
export type Passkey = Schemas['Passkey']
export type PasskeyAssertion = Schemas['PasskeyAssertion']
export type PasskeyAttestation = Schemas['PasskeyAttestation']
export type PasskeyCreation = Schemas['PasskeyCreation']
export type PasskeyRequest = Schemas['PasskeyRequest']
export type LivenessMovement = Schemas['LivenessMovement']
export type Presence = Schemas['Presence']
export type SignedIn = Schemas['SignedIn']

/** What shows once more that it is the person: one of the two. */
export type Proof = Schemas['ConfirmationFields']
