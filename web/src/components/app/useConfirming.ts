import { ref } from 'vue'
import type { Proof } from '@/api'
import { refusal } from '@/components/account/refusal'
import { PasskeyCancelled, passkeyProof } from '@/device/passkeys'

/** A dialog that asks the person to prove once more who they are, by password or by passkey, and then does something. */
export function useConfirming(work: (proof: Proof) => Promise<void>) {
  const open = ref(false)
  const password = ref('')
  const failure = ref('')
  const busy = ref(false)

  function ask(): void {
    password.value = ''
    failure.value = ''
    open.value = true
  }

  async function confirm(passkey = false): Promise<void> {
    busy.value = true
    failure.value = ''
    try {
      await work(passkey ? await passkeyProof() : { password: password.value })
      open.value = false
    } catch (error) {
      if (!(error instanceof PasskeyCancelled)) failure.value = refusal(error)
    } finally {
      busy.value = false
    }
  }

  return { open, password, failure, busy, ask, confirm }
}
