/** The app as something installed: its service worker, a new version that waits, and the offer to install it. */
import { readonly, shallowRef } from 'vue'

const WORKER = '/app/sw.js'
/** Of pages it answers those of the app alone; workers, which load models and runtimes, count by their own address. */
const SCOPE = '/'
const TAKE_OVER = 'take over'
const CHECK_EVERY_MS = 3_600_000

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

const waiting = shallowRef<ServiceWorker | null>(null)
const offer = shallowRef<InstallPrompt | null>(null)

/** A newer version is there and waits for the person's word. */
export const newVersion = readonly(waiting)
/** The browser would install the app. */
export const installOffer = readonly(offer)

/** Keeps the app for use without a network. Never raises: without it the app needs the network, that is all. */
export async function keepApp(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  try {
    const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE })
    watchVersions(registration)
    setInterval(() => void registration.update().catch(() => undefined), CHECK_EVERY_MS)
  } catch (error) {
    console.warn(error)
  }
}

/** Loads the page again with the version that waited. */
export function takeNewVersion(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    location.reload()
  })
  waiting.value?.postMessage(TAKE_OVER)
}

/** Shows the browser's own question; it can be asked once. */
export async function install(): Promise<void> {
  const prompt = offer.value
  offer.value = null
  await prompt?.prompt()
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
