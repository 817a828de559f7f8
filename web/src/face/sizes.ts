/** Bytes of the files a device downloads once, for an honest progress bar; a test holds them to the files. */
export const SIZES = { runtime: 14_239_897, yunet: 110_901, sface: 10_653_111 } as const
