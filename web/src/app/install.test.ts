// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from 'vitest'

/** As much of the browser's own as the app's keeping touches. */
class Workers extends EventTarget {
  readonly controller = {}
  readonly registration = Object.assign(new EventTarget(), {
    scope: 'https://site.example/',
    waiting: { state: 'installed', postMessage: vi.fn() },
    installing: null,
    unregister: vi.fn(),
  })
  readonly older = { scope: 'https://site.example/app', unregister: vi.fn() }
  readonly register = vi.fn(() => Promise.resolve(this.registration))
  getRegistrations = () => Promise.resolve([this.registration, this.older])
  takeOver(): void {
    this.registration.waiting.state = 'activated'
    this.dispatchEvent(new Event('controllerchange'))
  }
}

let workers: Workers
const reload = vi.fn()

/** The module as a page just loaded has it. */
async function kept(): Promise<typeof import('./install')> {
  vi.resetModules()
  const app = await import('./install')
  await app.keepApp()
  return app
}

beforeEach(() => {
  workers = new Workers()
  reload.mockClear()
  vi.stubEnv('PROD', true)
  vi.stubGlobal('navigator', { serviceWorker: workers })
  vi.stubGlobal('location', { reload })
})

it('is kept once however often it is asked to, and the worker of the narrower scope goes', async () => {
  const { keepApp } = await kept()
  await keepApp()
  expect(workers.register).toHaveBeenCalledOnce()
  expect(workers.older.unregister).toHaveBeenCalledOnce()
  expect(workers.registration.unregister).not.toHaveBeenCalled()
})

it('hands over to the version that waits on the person’s word, and loads again once', async () => {
  const { newVersion, versionReplaced, takeNewVersion } = await kept()
  expect(newVersion.value).not.toBeNull()
  takeNewVersion()
  expect(reload).not.toHaveBeenCalled()
  workers.takeOver()
  expect(reload).toHaveBeenCalledOnce()
  expect(versionReplaced.value).toBe(false)
})

it('beside a tab that took the new version says so, changes nothing by itself, and loads again when asked', async () => {
  const { versionReplaced, takeNewVersion } = await kept()
  workers.takeOver()
  expect(versionReplaced.value).toBe(true)
  expect(reload).not.toHaveBeenCalled()
  takeNewVersion()
  expect(reload).toHaveBeenCalledOnce()
  expect(workers.registration.waiting.postMessage).not.toHaveBeenCalled()
})
