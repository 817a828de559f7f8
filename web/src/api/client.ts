/** One door to the server: JSON or bytes out, JSON or bytes back, every failure an ApiError. */
import { ApiError, type ClientCode, type Details } from '@/api/errors'
import { currentLanguage, translate } from '@/i18n'

const ROOT = '/api/v1'
const TIMEOUT_MS = 15_000
const CSRF_COOKIE = 'veilface_csrf'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export interface Options {
  /** Sent as JSON, or, when bytes, as application/octet-stream. */
  body?: object | Uint8Array<ArrayBuffer>
  /** Names the request, so that it may be sent again and happens once. */
  key?: string
  /** Whose request it is where it is not the session's: a kiosk's token. */
  token?: string
  timeoutMs?: number
  signal?: AbortSignal
}

export interface Answer<T> {
  data: T
  /** Milliseconds per stage, from the Server-Timing header. */
  timings: Readonly<Record<string, number>>
}

const SIGNED_OUT = 'server.not_signed_in'
let signedOut: () => void = () => undefined

/** What to do when the server says that nobody is logged in (any more). One listener; the session store. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener
}

/** Sends one request and reads a JSON answer (undefined for 204). */
export async function requestJson<T>(method: Method, path: string, options: Options = {}): Promise<Answer<T>> {
  const response = await send(method, path, options)
  const data: unknown = response.status === 204 ? undefined : await readJson(response)
  return { data: data as T, timings: parseServerTiming(response.headers.get('Server-Timing')) }
}

/** Sends one GET request and reads an octet-stream answer. */
export async function requestBytes(path: string, options: Options = {}): Promise<Uint8Array<ArrayBuffer>> {
  const response = await send('GET', path, options)
  try {
    return new Uint8Array(await response.arrayBuffer())
  } catch {
    throw failure('server_down')
  }
}

/** `match;dur=4.2, decide;dur=0.8` to `{ match: 4.2, decide: 0.8 }`; entries without a duration are left out. */
export function parseServerTiming(header: string | null): Record<string, number> {
  const entries = (header ?? '').split(',').map((entry) => /^\s*([\w-]+)\s*;.*?dur=([\d.]+)/.exec(entry))
  return Object.fromEntries(
    entries.flatMap((found) => (found?.[1] !== undefined && found[2] !== undefined ? [[found[1], Number(found[2])]] : [])),
  )
}

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
  let response: Response
  try {
    response = await fetch(ROOT + path, {
      method,
      headers: headersFor(method, options),
      body: encode(options.body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal,
    })
  } catch {
    throw failure(options.signal?.aborted ? 'cancelled' : limit.aborted ? 'timeout' : navigator.onLine ? 'server_down' : 'offline')
  }
  if (!response.ok) throw await refusal(response, options.token === undefined)
  return response
}

function headersFor(method: Method, { body, key, token }: Options): Record<string, string> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': currentLanguage() }
  if (body !== undefined) {
    headers['Content-Type'] = body instanceof Uint8Array ? 'application/octet-stream' : 'application/json'
  }
  if (key !== undefined) headers['Idempotency-Key'] = key
  if (token !== undefined) headers.Authorization = `Bearer ${token}`
  if (method !== 'GET') headers['X-CSRFToken'] = cookie(CSRF_COOKIE)
  return headers
}

function encode(body: Options['body']): BodyInit | null {
  if (body === undefined) return null
  return body instanceof Uint8Array ? body : JSON.stringify(body)
}

function cookie(name: string): string {
  const found = document.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`))
  return found?.slice(name.length + 1) ?? ''
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    throw failure('unreadable', response.status)
  }
}

/** The server's own sentence where it gave one; a proxy in front of a server that is down does not. */
async function refusal(response: Response, ofSession: boolean): Promise<ApiError> {
  const said = (await response.json().catch(() => undefined)) as
    | { code?: unknown; message?: unknown; details?: unknown }
    | undefined
  if (typeof said?.code === 'string' && typeof said.message === 'string') {
    if (ofSession && said.code === SIGNED_OUT) signedOut()
    return new ApiError(said.code, said.message, response.status, (said.details ?? {}) as Details)
  }
  return failure(response.status >= 502 && response.status <= 504 ? 'server_down' : 'unreadable', response.status)
}

function failure(code: ClientCode, status = 0): ApiError {
  return new ApiError(code, translate(`errors.${code}`), status)
}
