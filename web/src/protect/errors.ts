/** What this package refuses; the codes are those of `veilface.protect.errors` in Python. */
export type ProtectErrorCode =
  | 'malformed_ciphertext'
  | 'malformed_envelope'
  | 'bad_signature'
  | 'unusable_embedding'
  | 'engine_failed'
  | 'malformed_template'
  | 'unusable_token'
  | 'group_out_of_range'
  | 'records_out_of_range'
  | 'one_parity'

/** A check failed; nothing was protected, signed or trusted. `details` holds no secret. */
export class ProtectError extends Error {
  readonly code: ProtectErrorCode
  readonly details: Readonly<Record<string, string | number>>

  constructor(code: ProtectErrorCode, details: Record<string, string | number> = {}, options?: ErrorOptions) {
    super(code, options)
    this.name = 'ProtectError'
    this.code = code
    this.details = details
  }
}

/** What was got where something else was expected. */
export function refused(code: ProtectErrorCode, got: string | number, expected: string | number): ProtectError {
  return new ProtectError(code, { got, expected })
}
