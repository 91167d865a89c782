/** The CRC-32 of a text's UTF-8 bytes, as zlib has it. Loading `node:zlib` for it takes longer than all the lines of a journal. */
export function crc32(text: string): number {
  let crc = -1
  for (const byte of Buffer.from(text)) {
    crc = (TABLE[(crc ^ byte) & 0xf] ?? 0) ^ (crc >>> 4)
    crc = (TABLE[(crc ^ (byte >>> 4)) & 0xf] ?? 0) ^ (crc >>> 4)
  }
  return ~crc >>> 0
}

/** What four bits do to the remainder: four steps of a division by the reversed polynomial. */
const TABLE = Int32Array.from({ length: 16 }, (_, bits) => {
  let remainder = bits
  for (let bit = 0; bit < 4; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0)
  return remainder
})
