/**
 * Protects with the device's own code, for Python's tests: on stdin {salt, seed, people: [{embedding, token}]} with
 * bytes as hex and embeddings as float32 little-endian; on stdout, one line a person, what was made of them.
 */
import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))
const load = async (path) => (await runnerImport(path, { root, configFile: false })).module
const { transform } = await load('./src/protect/transform.ts')
const { localRanks, packRanks, rankingTransform } = await load('./src/protect/ranking.ts')
const { countRecords, kHidden, NEGATIVE, negativeTransform, packBits, recordCount, signBits } = await load(
  './src/protect/negative.ts',
)

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex')

/** SHA-256(seed/0) ‖ SHA-256(seed/1) ‖ …, from its beginning for each person. */
function recorded(seed, length) {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash('sha256').update(`${seed}/${index}`).digest(),
  )
  const whole = Uint8Array.from(Buffer.concat(blocks))
  return () => {
    let offset = 0
    return (wanted) => whole.slice(offset, (offset += wanted))
  }
}

const { salt, seed, people } = JSON.parse(await text(process.stdin))
const replay = recorded(seed, 2 * 16 * recordCount(NEGATIVE))
for (const person of people) {
  const [token, saltBytes] = [bytes(person.token), bytes(salt)]
  const embedding = new Float32Array(bytes(person.embedding).buffer)
  const ranked = transform(embedding, await rankingTransform(token, saltBytes))
  const bits = signBits(transform(embedding, await negativeTransform(token, saltBytes)))
  const counts = countRecords(kHidden(bits, NEGATIVE, replay()), NEGATIVE.length)
  const outputs = createHash('sha256').update(ranked).digest('hex')
  process.stdout.write(`${outputs} ${hex(packRanks(localRanks(ranked)))} ${hex(packBits(bits))} ${hex(counts)}\n`)
}
