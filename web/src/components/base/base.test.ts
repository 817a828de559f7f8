// @vitest-environment happy-dom
import { describe, expect, it, vi } from 'vitest'
import { nextTick, reactive } from 'vue'
import { mount } from '../../../tests/mount'
import BaseButton from './BaseButton.vue'
import BaseField from './BaseField.vue'
import BaseNotice from './BaseNotice.vue'
import BaseProgress from './BaseProgress.vue'
import BaseStepper from './BaseStepper.vue'
import ConfirmDialog from './ConfirmDialog.vue'

describe('BaseButton', () => {
  it('does nothing while busy, and says so', async () => {
    const onClick = vi.fn()
    const { find } = await mount(BaseButton, { busy: true, onClick }, { default: () => '保存' })
    find('button').click()
    expect(onClick).not.toHaveBeenCalled()
    expect(find('button').getAttribute('aria-busy')).toBe('true')
    expect(find('button').textContent).toContain('保存')
  })

  it('is a link when it leads somewhere', async () => {
    const { find } = await mount(BaseButton, { to: '/about' }, { default: () => '关于' })
    expect(find('a').getAttribute('href')).toBe('/about')
  })
})

describe('BaseField', () => {
  it('ties label, hint and error to the input', async () => {
    const { find } = await mount(BaseField, { label: '用户名', hint: '字母和数字', error: '已经有人用了', modelValue: '' })
    const input = find('input')
    expect(find('label').getAttribute('for')).toBe(input.id)
    expect(input.getAttribute('aria-invalid')).toBe('true')
    const described = (input.getAttribute('aria-describedby') ?? '').split(' ')
    expect(described.map((id) => document.getElementById(id)?.textContent)).toEqual(['字母和数字', '已经有人用了'])
  })

  it('hands on what is typed', async () => {
    const onUpdate = vi.fn()
    const { find } = await mount(BaseField, { label: '用户名', modelValue: '', 'onUpdate:modelValue': onUpdate })
    const input = find('input') as HTMLInputElement
    input.value = 'lan'
    input.dispatchEvent(new Event('input'))
    expect(onUpdate).toHaveBeenCalledWith('lan')
    expect(input.hasAttribute('aria-invalid')).toBe(false)
  })
})

describe('BaseNotice', () => {
  it('interrupts for a refusal only', async () => {
    const role = async (props: object): Promise<string | null> =>
      (await mount(BaseNotice, props)).find('.notice').getAttribute('role')
    expect(await role({ kind: 'refused' })).toBe('alert')
    expect(await role({ kind: 'accepted' })).toBe('status')
    expect(await role({ kind: 'info', live: false })).toBeNull()
  })
})

describe('BaseProgress', () => {
  const bar = async (value: number, max: number): Promise<string | null> =>
    (await mount(BaseProgress, { label: '载入模型', value, max })).find('[role=progressbar]').getAttribute('aria-valuenow')

  it('says how far it is, and nothing while the whole is unknown', async () => {
    expect(await bar(3, 4)).toBe('75')
    expect(await bar(9, 4)).toBe('100')
    expect(await bar(3, 0)).toBeNull()
  })
})

describe('BaseStepper', () => {
  const steps = [
    { key: 'find', label: '找到' },
    { key: 'seal', label: '加密', note: '12 ms' },
    { key: 'send', label: '发送' },
  ]

  it('marks the done, the current and the failed step', async () => {
    const { root } = await mount(BaseStepper, { label: '进度', steps, done: 1, failed: true })
    const items = [...root.querySelectorAll('li')]
    expect(items.map((item) => item.className)).toEqual(['step done', 'step failed', 'step'])
    expect(items.map((item) => item.getAttribute('aria-current'))).toEqual([null, 'step', null])
    expect(items[0]?.textContent).toContain('已完成')
    expect(items[1]?.textContent).toContain('12 ms')
  })
})

describe('ConfirmDialog', () => {
  async function dialog(extra: object = {}) {
    const onConfirm = vi.fn()
    const onCancel = vi.fn()
    const props = reactive({
      open: true,
      title: '删除模板？',
      confirmLabel: '删除我的模板',
      onConfirm,
      onCancel,
      'onUpdate:open': (open: boolean) => {
        props.open = open
      },
      ...extra,
    })
    const mounted = await mount(ConfirmDialog, props, { default: () => '密钥会被销毁。' })
    const buttons = [...mounted.root.querySelectorAll('button')]
    return { ...mounted, props, onConfirm, onCancel, cancel: buttons[0], confirm: buttons[1] }
  }

  it('names the act and does it only when told to', async () => {
    const { find, confirm, onConfirm } = await dialog()
    expect((find('dialog') as HTMLDialogElement).open).toBe(true)
    expect(confirm?.textContent).toContain('删除我的模板')
    find('form').dispatchEvent(new Event('submit', { cancelable: true }))
    expect(onConfirm).toHaveBeenCalledTimes(1)
  })

  it('closes on cancel without doing anything', async () => {
    const { cancel, props, onCancel, onConfirm } = await dialog()
    cancel?.click()
    await nextTick()
    expect(props.open).toBe(false)
    expect(onCancel).toHaveBeenCalledTimes(1)
    expect(onConfirm).not.toHaveBeenCalled()
  })

  it('cannot be left while the work is under way', async () => {
    const { find, props } = await dialog({ busy: true })
    find('dialog').dispatchEvent(new Event('cancel', { cancelable: true }))
    await nextTick()
    expect(props.open).toBe(true)
  })

  it('waits for what is still missing', async () => {
    const { confirm } = await dialog({ incomplete: true })
    expect(confirm?.disabled).toBe(true)
  })
})
