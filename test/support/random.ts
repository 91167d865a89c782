/** The same random numbers in [0, 1) for the same seed (a linear congruential generator), so that a failure can be seen again. */
export function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}
