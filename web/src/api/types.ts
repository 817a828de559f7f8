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
