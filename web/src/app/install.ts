/** The app as something installed: its service worker, a new version that waits, and the offer to install it. */
import { readonly, ref, shallowRef } from 'vue'

const WORKER = '/app/sw.js'
/** Of pages it answers those of the app alone; workers, which load models and runtimes, count by their own address. */
const SCOPE = '/'
/** The scope of its first versions; their worker would go on answering for the app. */
const OLD_SCOPE = /\/app\/?$/
const TAKE_OVER = 'take over'
const CHECK_EVERY_MS = 3_600_000

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

const waiting = shallowRef<ServiceWorker | null>(null)
const replaced = ref(false)
const offer = shallowRef<InstallPrompt | null>(null)
let kept: Promise<void> | undefined
let agreed = false

/** A newer version is there and waits for the person's word. */
export const newVersion = readonly(waiting)
/** Another tab has taken the newer version; this one only has to be loaded again. */
export const versionReplaced = readonly(replaced)
/** The browser would install the app. */
export const installOffer = readonly(offer)

/**
 * Keeps the app for use without a network, however often it is asked to. Never raises: without it the app needs the
 * network, that is all.
 */
export function keepApp(): Promise<void> {
  if (import.meta.env.PROD && 'serviceWorker' in navigator) kept ??= keep(navigator.serviceWorker)
  return kept ?? Promise.resolve()
}

/** Loads the page again with the version that waited, or that another tab has taken meanwhile. */
export function takeNewVersion(): void {
  agreed = true
  if (waiting.value?.state === 'installed') waiting.value.postMessage(TAKE_OVER)
  else location.reload()
}

/** Shows the browser's own question; it can be asked once. */
export async function install(): Promise<void> {
  const prompt = offer.value
  offer.value = null
  await prompt?.prompt()
}

async function keep(workers: ServiceWorkerContainer): Promise<void> {
  try {
    const registration = await workers.register(WORKER, { scope: SCOPE })
    workers.addEventListener('controllerchange', () => {
      if (agreed) location.reload()
      else replaced.value = true
    })
    watchVersions(registration)
    setInterval(() => void registration.update().catch(() => undefined), CHECK_EVERY_MS)
    for (const old of await workers.getRegistrations()) if (OLD_SCOPE.test(old.scope)) await old.unregister()
  } catch (error) {
    console.warn(error)
  }
}

function watchVersions(registration: ServiceWorkerRegistration): void {
  const look = (): void => {
    if (registration.waiting && navigator.serviceWorker.controller) waiting.value = registration.waiting
  }
  look()
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', look)
  })
}

addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault()
  offer.value = event as InstallPrompt
})
addEventListener('appinstalled', () => {
  offer.value = null
})
