import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Protector, type Protection } from './protector'
import type { Reply, Request } from './protect.worker'

/** A worker that records what it is sent and answers when told. */
class FakeWorker {
  static last: FakeWorker
  readonly sent: { request: Request; transferred: Transferable[] }[] = []
  terminated = false
  onmessage: ((event: { data: Reply }) => void) | null = null
  onerror: ((event: { message: string }) => void) | null = null

  constructor() {
    FakeWorker.last = this
  }

  postMessage(request: Request, transferred: Transferable[]): void {
    this.sent.push({ request, transferred })
  }

  terminate(): void {
    this.terminated = true
  }

  reply(data: Reply): void {
    this.onmessage?.({ data })
  }
}

beforeEach(() => {
  vi.stubGlobal('Worker', FakeWorker)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

async function loaded(): Promise<{ protector: Protector; worker: FakeWorker }> {
  const loading = Protector.load('ranking')
  FakeWorker.last.reply({ kind: 'protected', id: 0, bytes: new Uint8Array() })
  return { protector: await loading, worker: FakeWorker.last }
}

const secret = (): Protection => ({ scheme: 'ranking', key: new Uint8Array(32), token: new Uint8Array(32).fill(9) })

describe('the protector', () => {
  it('prepares the scheme, then gives each answer to the one who asked', async () => {
    const { protector, worker } = await loaded()
    const first = protector.protectTemplate(new Float32Array(128), secret())
    const second = protector.protectProbe(new Float32Array(128), secret())
    expect(worker.sent.map(({ request }) => request.kind)).toEqual(['prepare', 'template', 'probe'])
    expect(worker.sent.map(({ request }) => request.scheme)).toEqual(['ranking', 'ranking', 'ranking'])
    worker.reply({ kind: 'protected', id: 2, bytes: Uint8Array.of(2) })
    worker.reply({ kind: 'protected', id: 1, bytes: Uint8Array.of(1) })
    expect(await first).toEqual(Uint8Array.of(1))
    expect(await second).toEqual(Uint8Array.of(2))
  })

  it('sends copies of the secrets away and leaves the caller its own', async () => {
    const { protector, worker } = await loaded()
    const embedding = new Float32Array(128).fill(0.25)
    const protection = secret()
    const asked = protector.protectProbe(embedding, protection)
    const sent = worker.sent[1]
    expect(sent?.request.embedding).toEqual(embedding)
    expect(sent?.request.embedding).not.toBe(embedding)
    expect(sent?.request.token).not.toBe(protection.token)
    expect(sent?.transferred).toEqual([sent?.request.embedding.buffer, sent?.request.token.buffer])
    worker.reply({ kind: 'protected', id: 1, bytes: Uint8Array.of(1) })
    await asked
    expect(embedding[0]).toBe(0.25)
    expect(protection.token[0]).toBe(9)
  })

  it('rejects with the code of the refusal', async () => {
    const { protector, worker } = await loaded()
    const asked = protector.protectProbe(new Float32Array(3), secret())
    worker.reply({ kind: 'failed', id: 1, code: 'unusable_embedding', message: '3' })
    await expect(asked).rejects.toThrow('unusable_embedding')
  })

  it('fails what is under way when the thread dies or is closed', async () => {
    const { protector, worker } = await loaded()
    const first = protector.protectProbe(new Float32Array(128), secret())
    worker.onerror?.({ message: 'out of memory' })
    await expect(first).rejects.toThrow('engine_failed')
    expect(worker.terminated).toBe(true)
    await expect(protector.prepare('ranking')).rejects.toThrow('engine_failed')
    const other = await loaded()
    const second = other.protector.protectProbe(new Float32Array(128), secret())
    other.protector.close()
    await expect(second).rejects.toThrow('engine_failed')
  })

  it.each([
    [
      'SEAL cannot start',
      (worker: FakeWorker) => {
        worker.reply({ kind: 'failed', id: 0, code: 'engine_failed', message: 'no wasm' })
      },
    ],
    ['the script cannot load', (worker: FakeWorker) => worker.onerror?.({ message: 'offline' })],
  ])('does not load where %s', async (_, fail) => {
    const loading = Protector.load('homomorphic')
    fail(FakeWorker.last)
    await expect(loading).rejects.toThrow('engine_failed')
    expect(FakeWorker.last.terminated).toBe(true)
  })
})
