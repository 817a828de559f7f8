// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Account } from '@/api'
import { router } from '@/router'
import { knownSession } from '@/stores/session'

vi.mock(import('@/stores/session'), async (original) => ({ ...(await original()), knownSession: vi.fn() }))
vi.mock('@/pages/EnrolPage.vue', () => ({ default: { render: () => null } }))
vi.mock('@/pages/MePage.vue', () => ({ default: { render: () => null } }))
vi.mock('@/pages/RecognisePage.vue', () => ({ default: { render: () => null } }))

function visitor(status: 'ready' | 'unreachable', account: Partial<Account> | null): void {
  vi.mocked(knownSession).mockResolvedValue({ status, account: account as Account | null, binding: '', trouble: null })
}

beforeEach(async () => {
  await router.push('/')
})

describe('the way', () => {
  it('of a stranger to a personal page leads through the login and back', async () => {
    visitor('ready', null)
    await router.push('/me?tab=data')
    expect(router.currentRoute.value).toMatchObject({ name: 'login', query: { next: '/me?tab=data' } })
  })

  it('of somebody logged in leads there', async () => {
    visitor('ready', { template: null })
    await router.push('/recognise')
    expect(router.currentRoute.value.name).toBe('recognise')
  })

  it('stays where it is while the server cannot be asked', async () => {
    visitor('unreachable', null)
    await router.push('/enrol')
    expect(router.currentRoute.value.name).toBe('enrol')
  })

  it('to the login leads those who are in to their face data, or to making some', async () => {
    visitor('ready', { template: null })
    await router.push('/login')
    expect(router.currentRoute.value.name).toBe('enrol')
    visitor('ready', { template: {} as Account['template'] })
    await router.push('/register')
    expect(router.currentRoute.value.name).toBe('me')
  })

  it('to nowhere says so', async () => {
    await router.push('/no/such/page')
    expect(router.currentRoute.value.name).toBe('missing')
  })
})
