/** What can go wrong on the device itself; sentences are in locales/…/device.json under `<code>`. */
export type DeviceErrorCode =
  | 'signed_out'
  | 'keyholder_changed'
  | 'certificate_invalid'
  | 'clock_wrong'
  | 'receipt_invalid'
  | 'nothing_enrolled'
  | 'token_elsewhere'
  | 'device_pending'
  | 'device_revoked'
  | 'contract_mismatch'
  | 'other_tabs'
  | 'other_order'
  | 'movements_over'

/** Nothing was sent, or what came back cannot be trusted. */
export class DeviceError extends Error {
  readonly code: DeviceErrorCode
  readonly details: Readonly<Record<string, string | number>>

  constructor(code: DeviceErrorCode, details: Record<string, string | number> = {}, options?: ErrorOptions) {
    super(code, options)
    this.name = 'DeviceError'
    this.code = code
    this.details = details
  }
}
