// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { ApiError, type Person } from '@/api'
import { mount } from '../../../tests/mount'
import KnownPerson from './KnownPerson.vue'
import { knownFrom } from './known'
import PeopleList from './PeopleList.vue'

const server = vi.hoisted(() => ({ people: vi.fn(), peopleByName: vi.fn() }))
vi.mock('@/kiosk/api', () => ({ kioskApi: server }))

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
