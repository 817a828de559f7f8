// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest'
import type { Gallery } from '@/api'
import { galleryApi } from '@/api/galleries'
import { signMembership } from '@/device/galleries'
import { mount } from '../../../tests/mount'
import GalleryList from './GalleryList.vue'

vi.mock('@/device/galleries', () => ({ signMembership: vi.fn(() => Promise.resolve()) }))

const OPEN: Gallery = { id: 'a'.repeat(32), name: '前台', purpose: '迎宾', people: 3, membership: null }
const JOINED: Gallery = { ...OPEN, id: 'b'.repeat(32), name: '食堂', membership: { since: '2026-11-23T00:00:00Z' } }

async function shown(galleries: Gallery[]) {
  vi.spyOn(galleryApi, 'list').mockResolvedValue(galleries)
  const page = await mount(GalleryList)
  await vi.waitFor(() => {
    expect(page.root.querySelector('.muted + *')).not.toBeNull()
  })
  return page
}

describe('GalleryList', () => {
  it('says so where there is none', async () => {
    const { root } = await shown([])
    await vi.waitFor(() => {
      expect(root.textContent).toContain('还没有人脸库')
    })
  })

  it('names each with its purpose, and signs only once it was confirmed', async () => {
    const { root } = await shown([OPEN, JOINED])
    await vi.waitFor(() => {
      expect(root.querySelectorAll('li')).toHaveLength(2)
    })
    expect(root.textContent).toContain('迎宾')
    const [join, leave] = root.querySelectorAll<HTMLButtonElement>('li button')
    expect([join?.textContent.trim(), leave?.textContent.trim()]).toEqual(['加入', '退出'])
    leave?.click()
    await vi.waitFor(() => {
      expect(root.querySelector('form')).not.toBeNull()
    })
    expect(signMembership).not.toHaveBeenCalled()
    root.querySelector('form')?.requestSubmit()
    await vi.waitFor(() => {
      expect(signMembership).toHaveBeenCalledWith(JOINED, 'out')
    })
  })
})
