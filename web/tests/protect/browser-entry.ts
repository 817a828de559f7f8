/** What the browser test drives: one probe, timed, encrypted by the real worker. */
import { Protector } from '@/protect'

declare global {
  interface Window {
    protectProbe: (embedding: number[], publicKeyBase64: string) => Promise<{ base64: string; milliseconds: number }>
  }
}

const loading = Protector.load('homomorphic')

window.protectProbe = async (embedding, publicKeyBase64) => {
  const protector = await loading
  const key = Uint8Array.from(atob(publicKeyBase64), (character) => character.charCodeAt(0))
  const started = performance.now()
  const ciphertext = await protector.protectProbe(Float32Array.from(embedding), {
    scheme: 'homomorphic',
    key,
    token: new Uint8Array(),
  })
  const milliseconds = performance.now() - started
  return { base64: btoa(Array.from(ciphertext, (byte) => String.fromCharCode(byte)).join('')), milliseconds }
}
