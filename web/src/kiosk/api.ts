/** What a kiosk asks of the server, by its own token: nothing here is the session's. */
import { requestBytes, requestJson, type Answer } from '@/api/client'
import type { Challenge, Found, FurtherKiosk, Hex, JoiningChallenge, Kiosk, KioskState, People, Person, Signed } from '@/api/types'

type Body = Uint8Array<ArrayBuffer>
export type Verdict = 'approval' | 'refusal'

/** A search or a registration carries 74 KB and waits for the key holder. */
const SLOW_MS = 30_000

async function data<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).data
}

export const kioskApi = {
  joiningChallenge: (request: { code: string; device_id: Hex; context_hash: string }) =>
    data(requestJson<JoiningChallenge>('POST', '/kiosks/challenges', { body: request })),
  join: (request: Signed & { code: string; name: string; device_id: Hex; public_key: string; token_hash: string }) =>
    data(requestJson<Kiosk>('POST', '/kiosks', { body: request })),

  state: (token: string) => data(requestJson<KioskState>('GET', '/kiosk', { token })),
  publicKey: (token: string, keyFp: Hex) => requestBytes(`/keys/${keyFp}`, { token }),
  challenges: (token: string, type: 'identify' | 'register', count: number) =>
    data(requestJson<Challenge[]>('POST', '/kiosk/challenges', { token, body: { type, count } })),
  /** `envelope` is header ‖ signature ‖ probe; the answer carries stage timings. */
  search: (token: string, envelope: Body) =>
    requestJson<Found>('POST', '/kiosk/searches', { token, body: envelope, timeoutMs: SLOW_MS }),

  waiting: (token: string) => data(requestJson<FurtherKiosk[]>('GET', '/kiosk/waiting', { token })),
  verdictChallenge: (token: string, id: Hex, verdict: Verdict) =>
    data(
      requestJson<Challenge>('POST', `/kiosk/waiting/${id}/challenge`, { token, body: { refuse: verdict === 'refusal' } }),
    ),
  decide: (token: string, id: Hex, verdict: Verdict, signed: Signed) =>
    data(requestJson<FurtherKiosk>('POST', `/kiosk/waiting/${id}/${verdict}`, { token, body: signed })),

  people: (token: string, after: Hex | null) =>
    data(requestJson<People>('GET', `/kiosk/people${after === null ? '' : `?after=${after}`}`, { token })),
  peopleByName: (token: string, name: string, after: Hex | null) =>
    data(requestJson<People>('POST', '/kiosk/people/by-name', { token, body: { name, after } })),
  /**
   * `application` is name ‖ header ‖ signature ‖ probe ‖ header ‖ signature ‖ template of somebody who agreed;
   * `replaces` – of whom the template is a new one.
   */
  register: (token: string, application: Body, replaces: Hex | null) => {
    const asked = new URLSearchParams({ consent: 'true', ...(replaces === null ? {} : { replaces }) })
    return data(
      requestJson<Person>('POST', `/kiosk/people?${asked.toString()}`, { token, body: application, timeoutMs: SLOW_MS }),
    )
  },
  rename: (token: string, id: Hex, name: string) =>
    data(requestJson<Person>('PATCH', `/kiosk/people/${id}`, { token, body: { name } })),
  remove: (token: string, id: Hex) => data(requestJson<undefined>('DELETE', `/kiosk/people/${id}`, { token })),
  removeAll: (token: string, confirm: string) =>
    data(requestJson<unknown>('DELETE', '/kiosk/people', { token, body: { confirm } })),
}
