import type { Payment, Site } from '@/api'
import { proofOf } from '@/device/receipt'
import { payeeNameHash, sameBytes, verifyPayment } from '@/protect'

/** The file another program can check without any network: `veilface` and the protocol's paper say how. */
export function receiptFile(payment: Payment, keyholder: Site['keyholder']['public_key']): File {
  const content = { format: 'veilface-payment-1', keyholder_public_key: keyholder, ...payment }
  return new File([JSON.stringify(content, null, 2)], `veilface-${payment.id.slice(0, 8)}.json`, { type: 'application/json' })
}

/** Whether device and key holder signed for exactly what the payment says; checked here, the server is not asked. */
export async function proven(payment: Payment, keyholder: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const { fields } = await verifyPayment(proofOf(payment), keyholder)
    const sameName = sameBytes(fields.payeeNameHash, await payeeNameHash(payment.payee_name))
    const sameMoney = fields.amountMinor === payment.amount && fields.currency === payment.currency
    return sameName && sameMoney && fields.exponent === payment.exponent
  } catch {
    return false
  }
}

/** Hands the file to another app, or saves it where the device cannot. */
export async function hand(file: File): Promise<void> {
  if ('canShare' in navigator && navigator.canShare({ files: [file] })) {
    try {
      await navigator.share({ files: [file] })
      return
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return
    }
  }
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = file.name
  link.click()
  setTimeout(() => {
    URL.revokeObjectURL(link.href)
  }, 60_000)
}
