// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api, ApiError, type Account, type Profile } from '@/api'

const profile: Profile = { id: '00', username: 'lan', display_name: '阿岚', created_at: '2026-11-22T10:00:00Z' }
const account = { ...profile, devices: [], template: null } as unknown as Account

/** A store of its own for each test. */
async function freshStore(): Promise<typeof import('@/stores/session')> {
  vi.resetModules()
  return import('@/stores/session')
}

vi.mock(import('@/api'), async (original) => {
  const real = await original()
  const { session, account, logIn, logOut, register } = real.api
  const verbs = Object.entries({ session, account, logIn, logOut, register }).map(([name]) => [name, vi.fn()] as const)
  return { ...real, api: { ...real.api, ...Object.fromEntries(verbs) } }
})

beforeEach(() => {
  vi.clearAllMocks()
  vi.mocked(api.session).mockResolvedValue({ account: null, binding: null })
  vi.mocked(api.account).mockResolvedValue(account)
})

describe('the session', () => {
  it('is unknown until the server was asked, and asked only once at a time', async () => {
    const store = await freshStore()
    expect(store.session.status).toBe('unknown')
    await Promise.all([store.loadSession(), store.loadSession(), store.knownSession()])
    expect(store.session).toMatchObject({ status: 'ready', account: null, binding: '' })
    expect(api.session).toHaveBeenCalledTimes(1)
    expect(api.account).not.toHaveBeenCalled()
  })

  it('of somebody logged in has the whole account', async () => {
    vi.mocked(api.session).mockResolvedValue({ account: profile, binding: 'AAAA' })
    const store = await freshStore()
    await store.loadSession()
    expect(store.session).toMatchObject({ status: 'ready', account, binding: 'AAAA' })
  })

  it('is unreachable when the server is, and recovers', async () => {
    const down = new ApiError('server_down', '连不上')
    vi.mocked(api.session).mockRejectedValueOnce(down)
    const store = await freshStore()
    await store.loadSession()
    expect(store.session).toMatchObject({ status: 'unreachable', account: null })
    expect(store.session.trouble?.message).toBe('连不上')
    await store.knownSession()
    expect(store.session).toMatchObject({ status: 'ready', trouble: null })
  })

  it('asks for the CSRF cookie before it posts a password', async () => {
    const order: string[] = []
    vi.mocked(api.session).mockImplementation(() => {
      order.push('session')
      return Promise.resolve({ account: null, binding: null })
    })
    vi.mocked(api.logIn).mockImplementation(() => {
      order.push('logIn')
      return Promise.resolve({ account: profile, binding: 'BBBB' })
    })
    const store = await freshStore()
    await store.logIn('lan', 'a long password')
    expect(order).toEqual(['session', 'logIn'])
    expect(store.session).toMatchObject({ account, binding: 'BBBB' })
  })

  it('stays as it was when the password is wrong', async () => {
    vi.mocked(api.logIn).mockRejectedValue(new ApiError('server.wrong_credentials', '不对', 401))
    const store = await freshStore()
    await expect(store.logIn('lan', 'wrong')).rejects.toThrow('不对')
    expect(store.session).toMatchObject({ status: 'ready', account: null, binding: '' })
  })

  it('ends when any answer says that nobody is logged in', async () => {
    vi.mocked(api.session).mockResolvedValueOnce({ account: profile, binding: 'AAAA' })
    const store = await freshStore()
    const leave = vi.fn()
    store.whenExpired(leave)
    await store.loadSession()
    const body = JSON.stringify({ code: 'server.not_signed_in', message: '请先登录。', details: {} })
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status: 401 })))
    await expect((await import('@/api/client')).requestJson('GET', '/templates')).rejects.toThrow('请先登录')
    vi.unstubAllGlobals()
    expect(store.session).toMatchObject({ status: 'unknown', account: null, binding: '' })
    expect(leave).toHaveBeenCalledTimes(1)
  })

  it('is over after logging out, and only when the server agreed', async () => {
    vi.mocked(api.session).mockResolvedValueOnce({ account: profile, binding: 'AAAA' })
    const store = await freshStore()
    await store.loadSession()
    vi.mocked(api.logOut).mockRejectedValueOnce(new ApiError('offline', '没有联网'))
    await expect(store.logOut()).rejects.toThrow('没有联网')
    expect(store.session.account).not.toBeNull()
    vi.mocked(api.logOut).mockResolvedValueOnce(undefined)
    await store.logOut()
    expect(store.session.account).toBeNull()
  })
})
