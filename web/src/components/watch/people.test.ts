// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { ApiError, type People, type Person } from '@/api'
import { fromBase64url } from '@/api/bytes'
import { deviceCode } from '@/device/registration'
import { translate } from '@/i18n'
import { mount } from '../../../tests/mount'
import KnownPerson from './KnownPerson.vue'
import { knownFrom } from './known'
import OthersWait from './OthersWait.vue'
import PeopleList from './PeopleList.vue'
import WaitingHere from './WaitingHere.vue'
import { usePages } from './usePages'

const server = vi.hoisted(() => ({ people: vi.fn(), peopleByName: vi.fn(), waiting: vi.fn() }))
const decideAbout = vi.hoisted(() => vi.fn())
vi.mock('@/kiosk/api', () => ({ kioskApi: server }))
vi.mock('@/kiosk/approving', () => ({ decideAbout }))

const person = (id: string, kind: Person['kind'] = 'kiosk'): Person => ({
  id,
  name: `人${id}`,
  registered_at: '2026-01-01T00:00:00Z',
  kind,
})

beforeEach(() => {
  vi.resetAllMocks()
})

describe('the list of people', () => {
  const list = () => mount(PeopleList, { token: 't', gallery: 'g', mayRegister: true })
  const rows = (root: HTMLElement) => [...root.querySelectorAll('.name')].map(({ textContent }) => textContent)

  it('is read page by page, and nobody stands in it twice', async () => {
    server.people.mockResolvedValueOnce({ people: [person('1'), person('2')], next: '2' })
    const { root, find } = await list()
    await vi.waitFor(() => {
      expect(rows(root)).toEqual(['人1', '人2'])
    })
    expect(root.textContent).toContain('2+')
    server.people.mockResolvedValueOnce({ people: [person('2'), person('3')], next: null })
    find('.more').click()
    await vi.waitFor(() => {
      expect(rows(root)).toEqual(['人1', '人2', '人3'])
    })
    expect(server.people).toHaveBeenLastCalledWith('t', '2')
    expect(root.querySelector('.more')).toBeNull()
  })

  it('goes on after whoever is left where the last one was removed', async () => {
    server.people.mockResolvedValueOnce({ people: [person('1', 'account'), person('2')], next: '2' })
    server.people.mockResolvedValueOnce({ people: [person('3')], next: null })
    const people = usePages((after) => server.people('t', after) as Promise<People>)
    await people.load()
    people.change((all) => all.filter(({ kind }) => kind === 'account'))
    await people.more()
    expect(server.people).toHaveBeenLastCalledWith('t', '1')
    expect(people.people.value.map(({ id }) => id)).toEqual(['1', '3'])
  })

  it('begins anew where nobody is left', async () => {
    server.people.mockResolvedValueOnce({ people: [person('2')], next: '2' })
    server.people.mockResolvedValueOnce({ people: [person('3', 'account')], next: null })
    const people = usePages((after) => server.people('t', after) as Promise<People>)
    await people.load()
    people.change(() => [])
    expect(server.people).toHaveBeenLastCalledWith('t', null)
    await vi.waitFor(() => {
      expect(people.people.value.map(({ id }) => id)).toEqual(['3'])
    })
  })

  it('asks the server for a name where not everybody is here', async () => {
    server.people.mockResolvedValueOnce({ people: [person('1')], next: '1' })
    server.peopleByName.mockResolvedValueOnce({ people: [person('77')], next: null })
    const { root, find } = await list()
    await vi.waitFor(() => {
      expect(rows(root)).toEqual(['人1'])
    })
    const input = find('input') as HTMLInputElement
    input.value = '77 '
    input.dispatchEvent(new Event('input'))
    await vi.waitFor(() => {
      expect(rows(root)).toEqual(['人77'])
    })
    expect(server.peopleByName).toHaveBeenCalledWith('t', '77', null)
  })
})

it('everybody may be removed as long as it is not known that nobody is from a kiosk', async () => {
  server.people.mockResolvedValueOnce({ people: [person('1', 'account')], next: '1' })
  server.people.mockResolvedValueOnce({ people: [person('2', 'account')], next: null })
  const { root, find } = await mount(PeopleList, { token: 't', gallery: 'g', mayRegister: true })
  await vi.waitFor(() => {
    expect(root.querySelector('.all')).not.toBeNull()
  })
  find('.more').click()
  await vi.waitFor(() => {
    expect(root.querySelector('.all')).toBeNull()
  })
})

describe('a kiosk that waits', () => {
  const other = { id: '1', name: '门口', public_key: 'BAAA', active_from: 0 }

  it('is gone once it was decided about, whatever a list from before still says', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let late: (all: unknown) => void = () => undefined
    server.waiting.mockResolvedValueOnce([other])
    server.waiting.mockReturnValueOnce(new Promise((resolve) => (late = resolve)))
    const { root, find, unmount } = await mount(OthersWait, { kiosk: { token: 't' } })
    await vi.waitFor(() => {
      expect(root.textContent).toContain(other.name)
    })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(server.waiting).toHaveBeenCalledTimes(2)
    find('button').click()
    await vi.waitFor(() => {
      expect(decideAbout).toHaveBeenCalledOnce()
    })
    late([other])
    await deviceCode(fromBase64url(other.public_key)) // as long as the list takes to be looked at, twice
    await deviceCode(fromBase64url(other.public_key))
    await nextTick()
    expect(root.textContent).toContain(translate('watch.others.approved', { name: other.name }))
    unmount()
    vi.useRealTimers()
  })

  it('has no code where it joined by the first version, and says so', async () => {
    const { root } = await mount(WaitingHere, { activeFrom: '2026-01-01T00:00:00Z', publicKey: undefined })
    expect(root.querySelector('.code')).toBeNull()
    expect(root.textContent).toContain(translate('watch.waiting.older'))
  })
})

describe('somebody who is registered already', () => {
  const refusal = (kind: string) =>
    new ApiError('galleries.person_known', '', 409, { person: '1', name: '张三', kind })

  it('may be renamed or replaced, and nothing else is taken for it', async () => {
    const known = knownFrom(refusal('kiosk'))
    expect(known).toEqual({ id: '1', name: '张三', kind: 'kiosk' })
    expect(knownFrom(new ApiError('galleries.person_ambiguous', '', 409))).toBeNull()
    const onRename = vi.fn()
    const { root } = await mount(KnownPerson, { known, name: '李四', busy: false, complete: true, onRename })
    const buttons = [...root.querySelectorAll('button')]
    expect(buttons).toHaveLength(2)
    buttons[1]?.click()
    await nextTick()
    expect(onRename).toHaveBeenCalledOnce()
    const same = await mount(KnownPerson, { known, name: '张三', busy: false, complete: true })
    expect(same.root.querySelectorAll('button')).toHaveLength(1)
  })

  it('is out of a kiosk’s reach with an account of their own', async () => {
    const { root } = await mount(KnownPerson, { known: knownFrom(refusal('account')), name: '李四', busy: false, complete: true })
    expect(root.querySelectorAll('button')).toHaveLength(0)
    expect(root.textContent).toContain('张三')
  })
})
