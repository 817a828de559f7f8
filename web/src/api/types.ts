/** What the server says, by the names the pages use. Bytes are base64url, ids 32 hexadecimal digits, times ISO 8601. */

export type Bytes64 = string
export type Hex = string
export type Instant = string

export interface Words {
  zh: string
  en: string
}

export interface TeamMember {
  name: Words
  role: Words
  about: Words
}

export interface Site {
  name: string
  version: string
  origin: string
  default_language: string
  team: TeamMember[]
  contact: string
  keyholder: { public_key: Bytes64 | null; fingerprint: Hex | null; ready: boolean }
  contract: { contract_id: Hex; model_fp: Hex; threshold_millionths: number; preprocessing: string }
  terms_version: string
  limits: { image_bytes: number; image_pixels: number }
}

export interface Device {
  id: Hex
  name: string
  state: 'active' | 'pending' | 'revoked'
  active_from: Instant | null
  created_at: Instant
  last_used_at: Instant | null
}

export interface TemplateParameters {
  n: number
  log_q: number
  primes: number[]
  security_bits: number
  [other: string]: unknown
}

export interface Template {
  id: Hex
  scheme: 'homomorphic'
  state: string
  created_at: Instant
  bytes: number
  key_fp: Hex
  epoch: number
  template_hash: Hex
  parameters: TemplateParameters
}

export interface Account {
  id: Hex
  username: string
  display_name: string
  created_at: Instant
  consent: { terms_version: string; accepted_at: Instant }
  devices: Device[]
  template: Template | null
}

export interface Session {
  account: Account | null
  binding: Bytes64
}

export interface NewAccount {
  username: string
  display_name: string
  password: string
  terms_version: string
}

export type ChallengeType = 'device' | 'approve' | 'revoke' | 'enrol' | 'verify' | 'delete'

export interface ChallengeRequest {
  type: ChallengeType
  device_id: Hex
  context_hash: Bytes64
  /** Asked for when an enrolment would replace a template. */
  password?: string
}

export interface Challenge {
  challenge: Bytes64
  expires_ms: number
  server_time_ms: number
  key_cert: Bytes64 | null
  key_fp: Bytes64 | null
  epoch: number | null
  template_hash: Bytes64 | null
}

/** A signed header, as every change of a device carries one. */
export interface Signed {
  header: Bytes64
  signature: Bytes64
}

export interface Enrolment {
  template: Template
  receipt: Bytes64
}

export interface Verification {
  accepted: boolean
  outcome: 'accepted' | 'not_accepted' | 'retry_later' | 'disabled'
  retry_after_s: number | null
  receipt: Bytes64
}

export interface Health {
  server: string
  database: string
  keyholder: string
}
