// @vitest-environment happy-dom
import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive, ref } from 'vue'
import { api, ApiError, type Account, type Movement, type Movements, type Payment, type Wallet } from '@/api'
import { walletApi } from '@/api/wallet'
import DeleteAccount from '@/components/me/DeleteAccount.vue'
import { passkeyProof, passkeysPossible } from '@/device/passkeys'
import HistoryPage from '@/pages/app/HistoryPage.vue'
import TopUpPage from '@/pages/app/TopUpPage.vue'
import { mount, type Mounted } from '../../../tests/mount'
import CountingMoney from './CountingMoney.vue'
import RefundDialog from './RefundDialog.vue'

vi.mock('@/stores/session', () => ({ session: { account: { id: 'a'.repeat(32) } }, forgetSession: vi.fn() }))
vi.mock('@/device/passkeys', () => ({ passkeysPossible: vi.fn(), passkeyProof: vi.fn(), PasskeyCancelled: class extends Error {} }))
vi.mock('./AppScreen.vue', () => ({ default: defineComponent((_, { slots }) => () => h('main', slots.default?.())) }))

const YUAN = { currency: 'CNY', exponent: 2 }
const WALLET = { ...YUAN, balance: 4567, available: 4567, limits: { top_up_max: 100_000 } } as Wallet
const LOST = new ApiError('timeout', '服务器没有及时答复', 0)

async function type(page: Mounted, selector: string, text: string): Promise<void> {
  const input = page.find(selector) as HTMLInputElement
  input.value = text
  input.dispatchEvent(new Event('input'))
  await nextTick()
}

async function submit(page: Mounted): Promise<void> {
  ;(page.find('form') as HTMLFormElement).requestSubmit()
  await vi.waitFor(() => {
    expect(page.root.querySelector('[aria-busy]')).toBeNull()
  })
}

beforeEach(() => {
  vi.restoreAllMocks()
  document.body.replaceChildren()
  vi.spyOn(walletApi, 'wallet').mockResolvedValue(WALLET)
  vi.spyOn(walletApi, 'movements').mockResolvedValue({ movements: [], after: null })
})

describe('a refund whose answer got lost', () => {
  it('is asked for under the same key, however often the dialog or the page is opened anew', async () => {
    const refund = vi.spyOn(walletApi, 'refund').mockRejectedValue(LOST)
    const onUnanswered = vi.fn()
    const payment = { ...YUAN, id: 'p', amount: 1000, refunded: 0, payer_name: '甲' } as Payment
    async function asked(amount: string): Promise<string> {
      const open = ref(false)
      const page = await mount(defineComponent(() => () => h(RefundDialog, { payment, open: open.value, onUnanswered })))
      open.value = true
      await nextTick()
      await type(page, 'input[inputmode=decimal]', amount)
      await type(page, 'input[type=password]', 'correct horse')
      const before = refund.mock.calls.length
      await submit(page)
      await vi.waitFor(() => {
        expect(refund.mock.calls.length).toBe(before + 1)
        expect(page.root.textContent).toContain('不知道退了没有')
      })
      page.unmount()
      return refund.mock.lastCall?.[3] ?? ''
    }
    const first = await asked('5')
    expect(await asked('4')).not.toBe(first)
    expect(await asked('5')).toBe(first)
    expect(onUnanswered).toHaveBeenCalledTimes(3)
  })
})

describe('a top-up whose answer got lost', () => {
  it('is asked for under the same key after the page was left, and says that both are one', async () => {
    const topUp = vi.spyOn(walletApi, 'topUp').mockRejectedValue(LOST)
    async function asked(): Promise<Mounted> {
      const page = await mount(TopUpPage)
      await vi.waitFor(() => page.find('form'))
      await type(page, 'input', '100')
      const before = topUp.mock.calls.length
      await submit(page)
      await vi.waitFor(() => {
        expect(topUp.mock.calls.length).toBe(before + 1)
      })
      return page
    }
    const first = await asked()
    await vi.waitFor(() => {
      expect(first.root.textContent).toContain('没有收到充值的结果')
    })
    expect(first.root.textContent).not.toContain('没有充值成功')
    first.unmount()
    topUp.mockResolvedValue({ id: 'm', state: 'posted', amount: 10_000 } as Movement)
    const again = await asked()
    await vi.waitFor(() => {
      expect(again.root.textContent).toContain('没有多充')
    })
    expect(topUp.mock.calls[1]?.[1]).toBe(topUp.mock.calls[0]?.[1])
    again.unmount()
  })
})

describe('deleting an account with money in it', () => {
  const account = { id: 'a'.repeat(32) } as Account

  async function refused(): Promise<Mounted> {
    const left = new ApiError('wallet.money_left', '', 409, { left: 1 })
    vi.spyOn(api, 'deleteAccount').mockRejectedValueOnce(left)
    const page = await mount(DeleteAccount, { account })
    page.find('button').click()
    await nextTick()
    await type(page, 'input[type=password]', 'correct horse')
    await submit(page)
    await vi.waitFor(() => {
      expect(page.root.textContent).toContain('我放弃 ¥0.01')
    })
    return page
  }

  it('takes exactly that amount being given up', async () => {
    const page = await refused()
    expect(api.deleteAccount).toHaveBeenLastCalledWith({ password: 'correct horse' }, null)
    const button = page.find('button[type=submit]') as HTMLButtonElement
    expect(button.disabled).toBe(true)
    page.find('input[type=checkbox]').click()
    await nextTick()
    expect(button.disabled).toBe(false)
    vi.mocked(api.deleteAccount).mockRejectedValueOnce(new ApiError('wallet.money_left', '', 409, { left: 500 }))
    await submit(page)
    await vi.waitFor(() => {
      expect(page.root.textContent).toContain('我放弃 ¥5.00')
    })
    expect(api.deleteAccount).toHaveBeenLastCalledWith({ password: 'correct horse' }, 1)
    expect((page.find('input[type=checkbox]') as HTMLInputElement).checked).toBe(false)
  })

  it('can be confirmed by a passkey', async () => {
    vi.mocked(passkeysPossible).mockReturnValue(true)
    vi.mocked(passkeyProof).mockResolvedValue({ passkey: null })
    const page = await refused()
    page.find('input[type=checkbox]').click()
    await nextTick()
    vi.mocked(api.deleteAccount).mockResolvedValueOnce(undefined)
    Array.from(page.root.querySelectorAll('button')).find((button) => button.textContent.includes('通行密钥'))?.click()
    await vi.waitFor(() => {
      expect(api.deleteAccount).toHaveBeenLastCalledWith({ passkey: null }, 1)
    })
  })
})

describe('the history', () => {
  it('goes on loading until what was asked for last is there', async () => {
    const answers: ((page: Movements) => void)[] = []
    vi.spyOn(walletApi, 'movements').mockImplementation(() => new Promise((answer) => answers.push(answer)))
    const page = await mount(HistoryPage)
    await vi.waitFor(() => {
      expect(answers).toHaveLength(1)
    })
    page.root.querySelectorAll<HTMLButtonElement>('.filter')[1]?.click()
    await vi.waitFor(() => {
      expect(answers).toHaveLength(2)
    })
    answers[0]?.({ movements: [], after: null })
    await new Promise((done) => setTimeout(done))
    expect(page.root.querySelector('.none')).toBeNull()
    answers[1]?.({ movements: [], after: null })
    await vi.waitFor(() => page.find('.none'))
  })
})

describe('an amount that counts', () => {
  it('is there at once, and while it changes is told exactly to whoever listens', async () => {
    vi.stubGlobal('requestAnimationFrame', vi.fn())
    const props = reactive({ amount: 4567, of: YUAN, account: 'fresh' })
    const { root } = await mount(defineComponent(() => () => h(CountingMoney, props)))
    expect(root.textContent).toBe('¥45.67')
    props.amount = 5000
    await nextTick()
    expect(root.querySelector('[aria-hidden=true]')?.textContent).toBe('¥45.67')
    expect(root.querySelector('.hidden-visually')?.textContent).toBe('¥50.00')
  })
})
