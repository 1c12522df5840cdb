export interface Patience {
  /** Default 60,000. */
  readonly timeoutMs?: number;
  /** Between two looks; default 200. */
  readonly everyMs?: number;
  /** Told beside what was seen last, when the time is over: a log. */
  readonly also?: () => string;
}

/**
 * Looks again and again until what is seen is as it should be, and gives it.
 * @throws Error with what was there last when the time is over; what `look` throws counts as not being so yet
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  good: (seen: T) => boolean,
  { timeoutMs = 60_000, everyMs = 200, also }: Patience = {},
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const seen = await look();
      if (good(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (Date.now() > end) {
      const more = also ? `\n${also()}` : '';
      throw new Error(`waited ${timeoutMs / 1000} s for ${what}; there is:\n${JSON.stringify(last, null, 2)}${more}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
