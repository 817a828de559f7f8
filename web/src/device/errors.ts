/** What can go wrong on the device itself; sentences are in locales/…/device.json under `error.<code>`. */
export type DeviceErrorCode =
  | 'keyholder_changed'
  | 'certificate_invalid'
  | 'certificate_old'
  | 'receipt_missing'
  | 'receipt_invalid'
  | 'device_pending'
  | 'device_revoked'
  | 'contract_mismatch'
  | 'storage_refused'

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
