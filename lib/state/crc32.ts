/** The CRC-32 of a text's UTF-8 bytes, as zlib has it. Loading `node:zlib` for it takes longer than all the lines of a journal. */
export function crc32(text: string): number {
  let crc = -1
  for (const byte of Buffer.from(text)) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** What each byte does to the remainder: eight steps of a division by the reversed polynomial. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0)
  return remainder
})
