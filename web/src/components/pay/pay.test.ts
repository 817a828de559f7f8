// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, reactive, ref } from 'vue'
import { ApiError, type LivenessMovement, type Order, type Wallet } from '@/api'
import { walletApi } from '@/api/wallet'
import { DeviceError } from '@/device/errors'
import { openPayment, sendAgain, type PaymentTicket } from '@/device/payment'
import { putAside, sentPayment } from '@/device/sent'
import type { SentPayment } from '@/device/store'
import { mount } from '../../../tests/mount'
import PayFailed from './PayFailed.vue'
import PayLost from './PayLost.vue'
import PayScan from './PayScan.vue'
import { usePayment } from './usePayment'

vi.mock('@/device/payment', () => ({ openPayment: vi.fn(), pay: vi.fn(), sendAgain: vi.fn(), statementOf: vi.fn() }))
vi.mock('@/device/sent', () => ({ sentPayment: vi.fn(), putAside: vi.fn() }))
vi.mock('@/device/custody', () => ({ canUse: () => Promise.resolve(true) }))
const person = vi.hoisted((): { account: { id: string; template: object } | null } => ({ account: null }))
vi.mock('@/stores/session', () => ({ session: person }))
vi.mock('@/components/camera/useCamera', () => ({ useCamera: () => ({ state: camera, open: vi.fn() }) }))
vi.mock('./reader', () => ({ prepareReader: () => Promise.resolve(), readCodes: () => Promise.resolve([code]) }))
vi.mock('@/face', () => ({ decodePicture: () => Promise.resolve({}) }))

const code = 'A'.repeat(98)
const camera = ref('asking')
const SENT = { order: 'o', payee: '街角咖啡', amount: 1250, currency: 'CNY', exponent: 2 } as SentPayment
const OFFLINE = new ApiError('offline', '没有网络', 0)
const WALLET = { currency: 'CNY', exponent: 2, available: 5000, limits: {} } as Wallet

/** The way of a payment, as the page goes it. */
async function begun() {
  let way: ReturnType<typeof usePayment> | undefined
  await mount(
    defineComponent(() => {
      way = usePayment()
      return () => h('p')
    }),
  )
  if (!way) throw new Error('not set up')
  const started = way
  await vi.waitFor(() => {
    expect(started.stage.value).not.toBe('opening')
  })
  return started
}

beforeEach(() => {
  vi.resetAllMocks()
  vi.mocked(sentPayment).mockResolvedValue(null)
  vi.spyOn(walletApi, 'wallet').mockResolvedValue(WALLET)
  person.account = { id: 'a', template: {} }
})

describe('a payment without an answer', () => {
  it('is what the page is about, also where the wallet cannot be read', async () => {
    vi.mocked(sentPayment).mockResolvedValue(SENT)
    vi.spyOn(walletApi, 'wallet').mockRejectedValue(OFFLINE)
    const way = await begun()
    expect(way.stage.value).toBe('lost')
    expect(way.unmoved.value).toBe(false)
  })

  it('stays that when the session ends behind it, and says why', async () => {
    vi.mocked(sentPayment).mockResolvedValue(SENT)
    const way = await begun()
    const ended = new ApiError('server.not_signed_in', '请先登录', 401)
    vi.mocked(sendAgain).mockImplementation(() => {
      person.account = null
      return Promise.reject(ended)
    })
    await way.resend()
    expect(sentPayment).toHaveBeenLastCalledWith('a')
    expect(way.stage.value).toBe('lost')
    expect(way.trouble.value).toBe(ended)
  })

  it('can be left open where asking may never help, and only there', async () => {
    vi.mocked(sentPayment).mockResolvedValue(SENT)
    const way = await begun()
    vi.mocked(sendAgain).mockRejectedValueOnce(OFFLINE)
    await way.resend()
    expect(way.stuck.value).toBe(false)
    vi.mocked(sendAgain).mockRejectedValueOnce(new DeviceError('receipt_invalid', { check: 'signature' }))
    await way.resend()
    expect(way.stuck.value).toBe(true)
    vi.mocked(sentPayment).mockResolvedValue(null)
    await way.leaveOpen()
    expect(putAside).toHaveBeenCalledWith('a')
    expect(way.stage.value).toBe('scan')
  })

  it('says why there is no answer, and keeps the way to the wallet open', async () => {
    const busy = new ApiError('server.keyholder_down', '密钥保管方暂时不可用', 503)
    const { root } = await mount(PayLost, { sent: SENT, busy: false, error: busy, stuck: false })
    expect(root.textContent).toContain('¥12.50')
    expect(root.textContent).toContain('密钥保管方暂时不可用')
    expect(root.textContent).not.toContain('网络断了')
    expect(root.textContent).toContain('回到钱包')
    expect(root.textContent).not.toContain('先放下')
    const stuck = await mount(PayLost, { sent: SENT, busy: false, error: busy, stuck: true })
    expect(stuck.root.textContent).toContain('先放下')
  })
})

describe('a payment that failed', () => {
  it('says that no money was moved only where that is certain', async () => {
    vi.spyOn(walletApi, 'wallet').mockRejectedValue(OFFLINE)
    const nothing = await begun()
    expect([nothing.stage.value, nothing.unmoved.value]).toEqual(['failed', true])
    vi.mocked(sentPayment).mockRejectedValue(new Error('no database'))
    const unknown = await begun()
    expect([unknown.stage.value, unknown.unmoved.value]).toEqual(['failed', false])
    const { root } = await mount(PayFailed, { error: OFFLINE, unmoved: false })
    expect(root.textContent).not.toMatch(/没有动你的钱|没有付款/)
  })
})

describe('agreeing to a payment', () => {
  const ORDER = { id: 'o', amount: 1250, payee_name: '街角咖啡', password_needed: false } as Order
  const opened = (...liveness: LivenessMovement[]): PaymentTicket =>
    ({ ticket: { grant: { challenge: { liveness } } } }) as unknown as PaymentTicket

  async function agreed() {
    vi.spyOn(walletApi, 'readCode').mockResolvedValue({ ...SENT, payee_name: '街角咖啡', expires_ms: 0 })
    vi.spyOn(walletApi, 'order').mockResolvedValue(ORDER)
    const way = await begun()
    vi.spyOn(walletApi, 'wallet').mockResolvedValue({ ...WALLET, available: 700 })
    await way.read(code)
    return way
  }

  it('is asked with the money there is now', async () => {
    const way = await agreed()
    expect(way.stage.value).toBe('confirm')
    expect(way.wallet.value?.available).toBe(700)
  })

  it('never follows the movements of an older challenge', async () => {
    const way = await agreed()
    const answers: ((ticket: PaymentTicket) => void)[] = []
    vi.mocked(openPayment).mockImplementation(() => new Promise((answer) => answers.push(answer)))
    way.confirm()
    way.back()
    way.confirm()
    const [older, newer] = [opened({ kind: 'nod' } as unknown as LivenessMovement), opened()]
    answers[1]?.(newer)
    answers[0]?.(older)
    await Promise.resolve()
    await Promise.resolve()
    expect(way.plan.value).toEqual([])
  })
})

describe('the scanner', () => {
  it('asks about the code in view again a while after a look-up got no answer', async () => {
    vi.useFakeTimers()
    vi.stubGlobal('createImageBitmap', () => Promise.resolve({}))
    Object.defineProperty(HTMLVideoElement.prototype, 'videoWidth', { value: 640 })
    const onCode = vi.fn()
    const props = reactive({ busy: false, failure: '', passing: false, onCode })
    await mount(defineComponent(() => () => h(PayScan, props)))
    camera.value = 'live'
    const asked = async (ms: number): Promise<number> => {
      await vi.advanceTimersByTimeAsync(ms)
      return onCode.mock.calls.length
    }
    const refuse = async (passing: boolean): Promise<void> => {
      props.busy = true
      await vi.advanceTimersByTimeAsync(0)
      Object.assign(props, { busy: false, failure: 'x', passing })
      await vi.advanceTimersByTimeAsync(0)
    }
    const before = await asked(500)
    expect(before).toBe(1)
    await refuse(true)
    expect(await asked(1000)).toBe(before)
    expect(await asked(6000)).toBe(before + 1)
    await refuse(false)
    expect(await asked(60_000)).toBe(before + 1)
    vi.useRealTimers()
  })
})
