/** The device's half of the protection: envelopes are signed and checked here, embeddings protected in a worker. */
export { sameBytes, sha256, type Bytes } from './bytes'
export { COSINE_THRESHOLD, modelFingerprint, thresholdUnits } from './calibration'
export {
  contextHash,
  deviceContext,
  galleryContext,
  Header,
  HEADER_BYTES,
  KeyCert,
  KeyPurpose,
  MessageType,
  Outcome,
  Receipt,
  revocationContext,
  searchContext,
  SIGNATURE_BYTES,
  signHeader,
  type HeaderFields,
} from './envelope'
export { ProtectError, type ProtectErrorCode } from './errors'
export { KEYED, negativeBits, type KeyedName } from './keyed'
export { livenessBytes } from './liveness'
export { countRecords, kHidden, NEGATIVE, recordCount, SPECIFIED, type Records } from './negative'
export {
  payeeNameHash,
  PaymentStatement,
  verifyPayment,
  type PaymentProof,
  type StatementFields,
} from './payment'
export { Protector, type Protection } from './protector'
export { parseRanks, RANKING } from './ranking'
export { CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES } from './ring'
export { isKeyed, SCHEME_NAMES, schemeNamed, schemeOf, SCHEMES, Suite, type Scheme, type SchemeName } from './suites'
export { freshToken } from './token'
