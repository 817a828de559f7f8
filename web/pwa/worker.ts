/**
 * The app without a network. Its shell is kept when it is installed, models and runtimes after their first use, and no
 * answer of the API ever. A new version waits until the person agrees, so that no page changes under their hands.
 */
declare const self: ServiceWorkerGlobalScope
/** Filled in by the build: the files of the shell under hashed names and under names that stay, all hashed files, a hash over all. */
declare const __SHELL__: readonly string[]
declare const __STEADY__: readonly string[]
declare const __FILES__: readonly string[]
declare const __VERSION__: string

const START = '/app'
const SHELL = `veilface-shell-${__VERSION__}`
const FILES = 'veilface-files'
const TAKE_OVER = 'take over'
const shellFiles = new Set(__SHELL__)
const steadyFiles = new Set(__STEADY__)
const hashedFiles = new Set(__FILES__)

self.addEventListener('install', (event) => {
  event.waitUntil(keepShell())
})

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOld())
})

self.addEventListener('message', (event) => {
  if (event.data === TAKE_OVER) void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (request.mode === 'navigate' && ofTheApp(pathname)) {
    event.respondWith(shell(request))
  } else if (steadyFiles.has(pathname)) {
    event.respondWith(steady(event, pathname))
  } else if (hashedFiles.has(pathname)) {
    event.respondWith(file(event, pathname))
  }
})

async function keepShell(): Promise<void> {
  const cache = await caches.open(SHELL)
  const fresh = [START, ...steadyFiles].map((path) => new Request(path, { cache: 'reload' }))
  await cache.addAll([...fresh, ...shellFiles])
}

/** The shells of older versions, and every kept file that this version does not know any more. */
async function dropOld(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('veilface-shell-') && name !== SHELL) await caches.delete(name)
  }
  const cache = await caches.open(FILES)
  for (const request of await cache.keys()) {
    if (!hashedFiles.has(new URL(request.url).pathname)) await cache.delete(request)
  }
}

async function shell(request: Request): Promise<Response> {
  return (await caches.match(START, { cacheName: SHELL })) ?? fetch(request)
}

function ofTheApp(pathname: string): boolean {
  return pathname === START || pathname.startsWith(`${START}/`)
}

/** For pages of the app out of the shell they came from; the site's own pages came from the network, and so does this. */
async function steady({ request, clientId }: FetchEvent, path: string): Promise<Response> {
  const client = await self.clients.get(clientId)
  const kept = client && ofTheApp(new URL(client.url).pathname) ? await caches.match(path, { cacheName: SHELL }) : undefined
  return kept ?? fetch(request)
}

/** From the cache; else from the network, kept on the way through, so that a progress bar sees every byte arrive. */
async function file(event: FetchEvent, path: string): Promise<Response> {
  const kept = await caches.match(path, { ignoreVary: true })
  if (kept) return kept
  const response = await fetch(event.request)
  if (response.status === 200) event.waitUntil(keep(path, response.clone()))
  return response
}

/** A full disk only means that the file is fetched again. */
async function keep(path: string, response: Response): Promise<void> {
  try {
    await (await caches.open(FILES)).put(path, response)
  } catch (error) {
    console.warn(error)
  }
}
