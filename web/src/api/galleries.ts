/** The server's verbs about galleries, for people. */
import { requestJson } from './client'
import type { Challenge, Galleries, Hex, Left, Membership, MembershipRequest } from './types'

type Body = Uint8Array<ArrayBuffer>

export const galleryApi = {
  list: async () => (await requestJson<Galleries>('GET', '/galleries')).data.galleries,
  challenge: async (id: Hex, request: MembershipRequest) =>
    (await requestJson<Challenge>('POST', `/galleries/${id}/challenge`, { body: request })).data,
  /** `envelope` is header ‖ signature, 320 bytes. */
  join: async (id: Hex, envelope: Body) =>
    (await requestJson<Membership>('POST', `/galleries/${id}/membership`, { body: envelope })).data,
  /** `envelope` is header ‖ signature, 320 bytes. */
  leave: async (id: Hex, envelope: Body) =>
    (await requestJson<Left>('POST', `/galleries/${id}/leaving`, { body: envelope })).data,
}
