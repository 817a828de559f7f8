import { describe, expect, it, vi } from 'vitest'
import { openLogin, type LoginTicket } from '@/device/face-login'
import { useFaceLogin } from './useFaceLogin'

vi.mock('@/device/face-login', () => ({ openLogin: vi.fn(), logInByFace: vi.fn() }))
vi.mock('@/stores/session', () => ({ adopt: vi.fn() }))

describe('a face login begun anew', () => {
  it('hears nothing more of the one before', async () => {
    const answers: { resolve: (ticket: LoginTicket) => void; reject: (error: Error) => void }[] = []
    vi.mocked(openLogin).mockImplementation(() => new Promise((resolve, reject) => answers.push({ resolve, reject })))
    const login = useFaceLogin(vi.fn())
    for (const account of ['one', 'two', 'three']) login.begin(account)
    const newest = { disabled: false, retryAfterS: 0 } as LoginTicket
    answers[2]?.resolve(newest)
    answers[0]?.resolve({ disabled: true, retryAfterS: 0 } as LoginTicket)
    answers[1]?.reject(new Error('late'))
    await new Promise((done) => setTimeout(done))
    expect(login.opened.value).toBe(newest)
    expect(login.stage.value).toBe('looking')
  })
})
