/** Who is logged in, as the server says. Nothing here is kept in the browser. */
import { readonly, shallowReactive } from 'vue'
import { api, ApiError, type Account, type NewAccount, type Session } from '@/api'
import { onSignedOut } from '@/api/client'

interface State {
  /** `unknown` until the server has answered once. */
  status: 'unknown' | 'ready' | 'unreachable'
  account: Account | null
  /** Ties signatures to this session; base64url of 32 bytes, empty for strangers. */
  binding: string
  /** Why the server could not be reached. */
  trouble: ApiError | null
}

const state = shallowReactive<State>({ status: 'unknown', account: null, binding: '', trouble: null })
let asking: Promise<void> | null = null
let expired: () => void = () => undefined

/** Read it anywhere; it changes only through the functions below. */
export const session = readonly(state) as Readonly<State>

/** Asks the server who is logged in, once; a second caller waits for the same answer. Never raises. */
export function loadSession(): Promise<void> {
  asking ??= ask().finally(() => {
    asking = null
  })
  return asking
}

/** The session, asked for first where it is not known yet. */
export async function knownSession(): Promise<Readonly<State>> {
  if (state.status !== 'ready') await loadSession()
  return session
}

/** Raises ApiError. */
export async function logIn(username: string, password: string): Promise<void> {
  await accept(await withCookie(() => api.logIn(username, password)))
}

/** Raises ApiError. */
export async function register(account: NewAccount): Promise<void> {
  await accept(await withCookie(() => api.register(account)))
}

/** Takes over a session that began another way: by face, by passkey, with a new password. Raises ApiError. */
export async function adopt(answer: Session): Promise<void> {
  await accept(answer)
}

/** Raises ApiError; the person then is still logged in. */
export async function logOut(): Promise<void> {
  await api.logOut()
  await loadSession()
}

/** Takes over what another request said about the account, such as a new template. */
export function setAccount(account: Account): void {
  state.account = account
}

/** Reads the account again. Raises ApiError. */
export async function refreshAccount(): Promise<Account> {
  const account = await api.account()
  setAccount(account)
  return account
}

/** Nobody is logged in any more, as far as this page knows; the next question asks the server. */
export function forgetSession(): void {
  state.account = null
  state.binding = ''
  state.status = 'unknown'
}

/** What to do when the server has ended the session behind the page's back. */
export function whenExpired(act: () => void): void {
  expired = act
}

onSignedOut(() => {
  if (state.account === null) return
  forgetSession()
  expired()
})

async function ask(): Promise<void> {
  try {
    await accept(await api.session())
  } catch (error) {
    state.status = 'unreachable'
    state.trouble = error instanceof ApiError ? error : null
  }
}

/** A form posted before the first answer has no CSRF cookie yet. */
async function withCookie<T>(post: () => Promise<T>): Promise<T> {
  await knownSession()
  return post()
}

/** A session names its account in short; the pages want its devices and template too. */
async function accept(answer: Session): Promise<void> {
  state.account = answer.account === null ? null : await api.account()
  state.binding = answer.binding ?? ''
  state.status = 'ready'
  state.trouble = null
}
