// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mount, type Mounted } from '../../../tests/mount'
import ProtectionChoice from './ProtectionChoice.vue'

let mounted: Mounted
afterEach(() => {
  mounted.unmount()
})

async function shown(present: string | null, chosen = 'homomorphic'): Promise<{ radios: HTMLInputElement[]; choose: ReturnType<typeof vi.fn> }> {
  const choose = vi.fn()
  mounted = await mount(ProtectionChoice, { present, modelValue: chosen, 'onUpdate:modelValue': choose })
  return { radios: [...mounted.root.querySelectorAll<HTMLInputElement>('input[type=radio]')], choose }
}

const text = (id: string | null): string => mounted.root.querySelector(`[id="${id ?? ''}"]`)?.textContent ?? ''

describe('the choice of protection', () => {
  it('is one group of three, each with a name, what it does and what it does not', async () => {
    const { radios } = await shown(null)
    expect(new Set(radios.map((radio) => radio.name)).size).toBe(1)
    expect(radios.map((radio) => radio.value)).toEqual(['homomorphic', 'ranking', 'negative'])
    expect(radios.map((radio) => radio.checked)).toEqual([true, false, false])
    expect(radios.map((radio) => text(radio.getAttribute('aria-labelledby')))).toEqual(['同态加密', '局部排序', '信息负表示'])
    for (const radio of radios) expect(text(radio.getAttribute('aria-describedby')).length).toBeGreaterThan(60)
    expect(mounted.find('legend').textContent).not.toBe('')
  })

  it('tells its parent what was chosen', async () => {
    const { radios, choose } = await shown(null)
    radios[2]?.click()
    expect(choose).toHaveBeenCalledWith('negative')
  })

  it('marks what is in use when a template is renewed', async () => {
    await shown('ranking', 'ranking')
    const tags = [...mounted.root.querySelectorAll('.card')].map((card) => card.querySelector('.tag')?.textContent ?? '')
    expect(tags).toEqual(['推荐', '现在使用', ''])
  })
})
