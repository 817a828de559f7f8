/** The device's half of the protection: envelopes are signed and checked here, embeddings encrypted in a worker. */
export { sha256, type Bytes } from './bytes'
export {
  contextHash,
  deviceContext,
  Header,
  HEADER_BYTES,
  KeyCert,
  KeyPurpose,
  MessageType,
  Outcome,
  Receipt,
  revocationContext,
  SIGNATURE_BYTES,
  signHeader,
  type HeaderFields,
} from './envelope'
export { ProtectError, type ProtectErrorCode } from './errors'
export { Protector } from './protector'
export { CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES } from './ring'
