// @vitest-environment happy-dom
import 'fake-indexeddb/auto'
import { expect, it, vi } from 'vitest'
import { remember } from '@/device/memory'
import { mount } from '../../../tests/mount'
import EnrolBefore from './EnrolBefore.vue'

const checked = (root: HTMLElement): string | undefined =>
  [...root.querySelectorAll<HTMLInputElement>('input[type=radio]')].find((radio) => radio.checked)?.value

it.each([
  ['known', 'negative'],
  ['new', 'homomorphic'],
])('preselects for a %s account what this device remembers, whatever the server says', async (account, wanted) => {
  await remember('known', () => ({ scheme: 'negative' }))
  const mounted = await mount(EnrolBefore, { account, present: 'ranking', busy: false, failure: '' })
  await vi.waitFor(() => {
    expect(checked(mounted.root)).toBe(wanted)
  })
  mounted.unmount()
})
