import { computed, onMounted, ref, shallowRef } from 'vue'
import { ApiError, type LivenessMovement, type Order, type Payee, type Wallet } from '@/api'
import { walletApi } from '@/api/wallet'
import { parseMoney } from '@/app/money'
import { refusal } from '@/components/account/refusal'
import { forgetShot, type Shot } from '@/components/camera/shot'
import type { Step, Timings } from '@/components/camera/steps'
import { canUse } from '@/device/custody'
import {
  openPayment,
  pay,
  sendAgain,
  statementOf,
  type Paid,
  type PaymentTicket,
  type Shown,
} from '@/device/payment'
import { PasskeyCancelled, passkeyProof } from '@/device/passkeys'
import { putAside, sentPayment } from '@/device/sent'
import type { SentPayment } from '@/device/store'
import { session } from '@/stores/session'

/** One decision a screen. `lost`: it was sent, and no answer has come. */
export type Stage =
  | 'opening'
  | 'empty'
  | 'elsewhere'
  | 'scan'
  | 'amount'
  | 'confirm'
  | 'password'
  | 'face'
  | 'paying'
  | 'lost'
  | 'done'
  | 'failed'

/** Codes after which another password, and nothing else, is asked for. */
const WRONG_PASSWORD = ['server.wrong_credentials', 'server.passkey_refused', 'wallet.password_needed']

/** Asked again a little later, the answer may be another one. */
function passes(error: unknown): boolean {
  return error instanceof ApiError && (error.unreachable || error.status === 429 || error.status >= 500)
}

/** The way of a payment, from somebody's code to a receipt. */
export function usePayment() {
  const stage = ref<Stage>('opening')
  const wallet = shallowRef<Wallet | null>(null)
  const payee = shallowRef<Payee | null>(null)
  const order = shallowRef<Order | null>(null)
  /** What was typed; no way back ever loses it. */
  const typed = ref('')
  const password = ref('')
  const busy = ref(false)
  const trouble = shallowRef<unknown>(null)
  const failure = ref('')
  /** What failed may work a little later. */
  const passing = ref(false)
  /** Nothing is without an answer: only then is it certain that no money was moved. */
  const unmoved = ref(false)
  const timings = ref<Timings>({})
  const result = shallowRef<Paid | null>(null)
  const sent = shallowRef<SentPayment | null>(null)
  const plan = shallowRef<readonly LivenessMovement[] | null>(null)
  /** Whose payment this is, also where the session has ended meanwhile. */
  let account = ''
  let code = ''
  let ticket: Promise<PaymentTicket> | null = null

  const amount = computed(() => payee.value?.amount ?? (wallet.value ? parseMoney(typed.value, wallet.value) : null))
  const shown = computed<Shown | null>(() =>
    payee.value && amount.value !== null ? { payee: payee.value.payee_name, amount: amount.value } : null,
  )

  /** Nobody scans who cannot pay; and a payment without an answer comes first. */
  async function begin(): Promise<void> {
    trouble.value = null
    unmoved.value = false
    try {
      const { id, template } = session.account ?? {}
      account = id ?? account
      sent.value = account ? await sentPayment(account) : null
      unmoved.value = sent.value === null
      if (sent.value) {
        stage.value = 'lost'
        return
      }
      wallet.value = await walletApi.wallet()
      if (!id || !template) stage.value = 'empty'
      else stage.value = (await canUse(id, template)) ? 'scan' : 'elsewhere'
    } catch (error) {
      fail(error)
    }
  }

  async function read(text: string): Promise<void> {
    await working(async () => {
      const found = await walletApi.readCode(text)
      code = text
      payee.value = found
      if (found.amount === null) stage.value = 'amount'
      else await agree()
    })
  }

  /** Fixes whom to pay how much; what comes back must be what the person sees. */
  async function agree(): Promise<void> {
    await working(async () => {
      const { value } = shown
      if (!value) return
      const made = await walletApi.order(code, payee.value?.amount == null ? value.amount : null)
      await statementOf(made, value)
      wallet.value = await walletApi.wallet()
      order.value = made
      stage.value = 'confirm'
    })
  }

  function confirm(): void {
    if (order.value?.password_needed) stage.value = 'password'
    else face()
  }

  /** The challenge is asked for while the person looks for their place. */
  function face(): void {
    const [to, what] = [order.value, shown.value]
    if (!to || !what) return
    showFace()
    const mine = openPayment(to, what)
    ticket = mine
    mine.then(
      (answer) => {
        if (ticket === mine) asked(answer)
      },
      (error: unknown) => {
        if (ticket === mine) fail(error)
      },
    )
  }

  /** Which movements the challenge asks for with the face. */
  function asked({ ticket: { grant } }: PaymentTicket): void {
    plan.value = grant.challenge.liveness
  }

  /** The same after a password, or else a passkey: either is checked before anybody poses. */
  async function prove(passkey: boolean): Promise<void> {
    await working(async () => {
      const [to, what] = [order.value, shown.value]
      if (!to || !what) return
      const opened = openPayment(to, what, passkey ? await passkeyProof() : { password: password.value })
      const answer = await opened
      ticket = opened
      showFace()
      asked(answer)
    })
  }

  function showFace(): void {
    result.value = null
    timings.value = {}
    plan.value = null
    stage.value = 'face'
  }

  async function look(shot: Shot): Promise<void> {
    if (stage.value !== 'face' || !ticket) return
    stage.value = 'paying'
    timings.value = shot.timings
    try {
      over(await pay(await ticket, shot, note))
    } catch (error) {
      await unanswered(error)
    } finally {
      forgetShot(shot)
    }
  }

  /** Asks what became of it, with the very same message. */
  async function resend(): Promise<void> {
    const { value } = sent
    if (!value || busy.value) return
    busy.value = true
    try {
      over(await sendAgain(value))
      sent.value = null
    } catch (error) {
      await unanswered(error)
    } finally {
      busy.value = false
    }
  }

  /** Whether asking once more may never help, so that the person must be able to go on without an answer. */
  const stuck = computed(() => stage.value === 'lost' && trouble.value !== null && !passes(trouble.value))

  /** Leaves the question open, on record, and goes on to another payment. */
  async function leaveOpen(): Promise<void> {
    await putAside(account)
    await begin()
  }

  function over(paid: Paid): void {
    result.value = paid
    password.value = ''
    stage.value = 'done'
  }

  /** Without an answer it may have been paid: the message is still here, and is what to ask with. */
  async function unanswered(error: unknown): Promise<void> {
    trouble.value = error
    unmoved.value = false
    try {
      sent.value = await sentPayment(account)
      unmoved.value = sent.value === null
    } finally {
      stage.value = sent.value ? 'lost' : 'failed'
    }
  }

  function fail(error: unknown): void {
    trouble.value = error
    stage.value = 'failed'
  }

  /** One screen back; the amount stays. */
  function back(): boolean {
    const before: Partial<Record<Stage, Stage>> = {
      amount: 'scan',
      confirm: payee.value?.amount == null ? 'amount' : 'scan',
      password: 'confirm',
      face: 'confirm',
    }
    const to = before[stage.value]
    failure.value = ''
    if (stage.value === 'face') ticket = null
    if (to) stage.value = to
    return to !== undefined
  }

  async function working(work: () => Promise<void>): Promise<void> {
    busy.value = true
    failure.value = ''
    passing.value = false
    try {
      await work()
    } catch (error) {
      if (error instanceof PasskeyCancelled) return
      passing.value = passes(error)
      if (error instanceof ApiError && (stage.value !== 'password' || WRONG_PASSWORD.includes(error.code)))
        failure.value = refusal(error)
      else fail(error)
    } finally {
      busy.value = false
    }
  }

  function note(step: Step, milliseconds: number): void {
    timings.value = { ...timings.value, [step]: milliseconds }
  }

  onMounted(begin)
  return {
    stage, wallet, payee, order, typed, password, busy, trouble, failure, timings, result, sent, amount, shown,
    plan, passing, unmoved, stuck, begin, read, agree, confirm, face, prove, look, resend, leaveOpen, back,
  }
}
