/** Encrypts with the device's own code, for Python's tests: {kind, embedding, publicKey} on stdin, base64 on stdout. */
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))
const load = async (path) => (await runnerImport(path, { root, configFile: false })).module
const { ZeroMaker } = await load('./src/protect/zeros.ts')
const { addMessage, encodeProbe, encodeTemplate } = await load('./src/protect/homomorphic.ts')

const { kind, embedding, publicKey } = JSON.parse(await text(process.stdin))
const encode = kind === 'probe' ? encodeProbe : encodeTemplate
const zeros = await ZeroMaker.load()
const zero = zeros.encryptZero(Uint8Array.from(Buffer.from(publicKey, 'base64')))
process.stdout.write(Buffer.from(addMessage(zero, encode(Float32Array.from(embedding)))).toString('base64'))
