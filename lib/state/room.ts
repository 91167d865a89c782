/** How much may be kept in all. What is to be written takes its room first, so that writes side by side cannot go beyond it. */
export class Room {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether there was room; then it is taken. To take less than nothing gives back, and always works. */
  tryTake(bytes: number): boolean {
    if (bytes > 0 && this.#bytes + bytes > this.#bytesMax) return false
    this.#bytes += bytes
    return true
  }

  /** Takes it, room or not: for what is there already. */
  take(bytes: number): void {
    this.#bytes += bytes
  }
}
