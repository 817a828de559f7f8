/** Reads QR codes from pictures on this device; the reader's WebAssembly comes from this site. */
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'
import wasmUrl from 'zxing-wasm/reader/zxing_reader.wasm?url'

const LONGEST_SIDE = 1280

/** Fetches the reader ahead of the first picture. */
export async function prepareReader(): Promise<void> {
  await prepareZXingModule({ overrides: { locateFile: () => wasmUrl }, fireImmediately: true })
}

/** The texts of all QR codes in a picture; takes the bitmap over. */
export async function readCodes(picture: ImageBitmap): Promise<string[]> {
  await prepareReader()
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height))
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale))
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  const pixels = context?.getImageData(0, 0, canvas.width, canvas.height)
  if (!pixels) return []
  const found = await readBarcodes(pixels, { formats: ['QRCode'], maxNumberOfSymbols: 2 })
  return found.filter((code) => code.isValid).map((code) => code.text)
}
