/** What the client itself can say; every other code comes from the server. */
export type ClientCode = 'offline' | 'timeout' | 'server_down' | 'unreadable' | 'cancelled'

export type Details = Readonly<Record<string, unknown>>

/**
 * A request that was refused or did not get through.
 *
 * `message` is a sentence for the person, in their language; `code` is for the program. `status` is 0 when there was
 * no answer at all.
 */
export class ApiError extends Error {
  readonly code: string
  readonly status: number
  readonly details: Details

  constructor(code: string, message: string, status = 0, details: Details = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.details = details
  }

  /** Nothing reached the server, or nothing came back: the same request may work later. */
  get unreachable(): boolean {
    return this.code === 'offline' || this.code === 'timeout' || this.code === 'server_down'
  }
}
