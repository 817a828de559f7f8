// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError } from '@/api'
import { parseServerTiming, requestBytes, requestJson } from '@/api/client'
import { setLanguage } from '@/i18n'

const fetched = vi.fn<typeof fetch>()

function answer(body: unknown, init: ResponseInit = {}): Response {
  return new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' }, ...init })
}

function sent(): { url: string; init: RequestInit; headers: Record<string, string> } {
  const [url, init] = fetched.mock.calls[0] ?? []
  return { url: url as string, init: init ?? {}, headers: init?.headers as Record<string, string> }
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApiError)) throw new Error('expected an ApiError')
  return error
}

beforeEach(() => {
  vi.stubGlobal('fetch', fetched)
  fetched.mockReset()
  document.cookie = 'veilface_csrf=token-of-the-form'
  setLanguage('zh')
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('a request', () => {
  it('goes to the versioned API, in the language of the page', async () => {
    fetched.mockResolvedValue(answer({ name: 'Veilface' }))
    setLanguage('en')
    expect(await api.site()).toEqual({ name: 'Veilface' })
    expect(sent().url).toBe('/api/v1/site')
    expect(sent().headers['Accept-Language']).toBe('en')
    expect(sent().headers['X-CSRFToken']).toBeUndefined()
  })

  it('that changes something carries the CSRF token', async () => {
    fetched.mockResolvedValue(answer({ account: {}, binding: '' }))
    await api.logIn('lan', 'a long password')
    expect(sent().headers).toMatchObject({ 'X-CSRFToken': 'token-of-the-form', 'Content-Type': 'application/json' })
    expect(sent().init.body).toBe('{"username":"lan","password":"a long password"}')
  })

  it('sends bytes as they are', async () => {
    const body = Uint8Array.of(1, 2, 3)
    fetched.mockResolvedValue(answer({ receipt: '' }))
    await requestJson('POST', '/enrolments', { body })
    expect(sent().init.body).toBe(body)
    expect(sent().headers['Content-Type']).toBe('application/octet-stream')
  })

  it('reads bytes', async () => {
    fetched.mockResolvedValue(new Response(Uint8Array.of(7, 8)))
    expect(await requestBytes('/keys/00')).toEqual(Uint8Array.of(7, 8))
  })

  it('without content gives nothing', async () => {
    fetched.mockResolvedValue(new Response(null, { status: 204 }))
    await expect(api.logOut()).resolves.toBeUndefined()
  })

  it('tells the stages that the server timed', async () => {
    fetched.mockResolvedValue(answer({}, { headers: { 'Server-Timing': 'match;desc="m";dur=4.25, total, decide;dur=0.8' } }))
    expect((await requestJson('GET', '/site')).timings).toEqual({ match: 4.25, decide: 0.8 })
  })
})

describe('a failure', () => {
  it('has the code, the sentence and the details of the server', async () => {
    const refused = { code: 'server.too_many_attempts', message: '请稍后再试。', details: { retry_after_s: 30 } }
    fetched.mockResolvedValue(answer(refused, { status: 429 }))
    const error = await failureOf(api.logIn('lan', 'x'))
    expect(error).toMatchObject({ ...refused, status: 429, unreachable: false })
  })

  it.each([502, 503, 504])('of a proxy (%i, no JSON) means that the server is down', async (status) => {
    fetched.mockResolvedValue(new Response('<html>', { status }))
    expect(await failureOf(api.site())).toMatchObject({ code: 'server_down', status, unreachable: true })
  })

  it('that nobody can read says so', async () => {
    fetched.mockResolvedValue(new Response('<html>', { status: 200 }))
    expect((await failureOf(api.site())).code).toBe('unreadable')
    fetched.mockResolvedValue(new Response('<html>', { status: 500 }))
    expect((await failureOf(api.site())).code).toBe('unreadable')
  })

  it('tells no network from no server', async () => {
    fetched.mockRejectedValue(new TypeError('failed'))
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(true)
    expect((await failureOf(api.site())).code).toBe('server_down')
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const error = await failureOf(api.site())
    expect(error).toMatchObject({ code: 'offline', status: 0, unreachable: true })
    expect(error.message).toContain('没有联网')
  })

  it('after too long a wait is a time-out', async () => {
    hang()
    expect((await failureOf(requestJson('GET', '/site', { timeoutMs: 5 }))).code).toBe('timeout')
  })

  it('wished for by the caller is a cancellation', async () => {
    hang()
    const stop = new AbortController()
    const pending = failureOf(requestJson('GET', '/site', { signal: stop.signal }))
    stop.abort()
    expect((await pending).code).toBe('cancelled')
  })
})

describe('parseServerTiming', () => {
  it('makes nothing of nothing', () => {
    expect(parseServerTiming(null)).toEqual({})
    expect(parseServerTiming('cache')).toEqual({})
  })
})

/** A server that never answers, as fetch shows it. */
function hang(): void {
  fetched.mockImplementation(
    (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          reject(new DOMException('aborted', 'AbortError'))
        })
      }),
  )
}
