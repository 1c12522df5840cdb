import { UsageError } from '../../errors.ts';
import type { Flag } from '../../flags.ts';

const FASTEST = 10_000;

/** How many times as fast as the wall clock. */
export const speedFlag: Flag<number> = {
  placeholder: 'factor',
  help: 'How many times as fast as real time it runs, from 0.1 to 10000.',
  initial: 1,
  shown: '1',
  parse(value) {
    const factor = /^\d+(\.\d+)?x?$/.test(value) ? Number.parseFloat(value) : Number.NaN;
    if (!(factor >= 0.1 && factor <= FASTEST)) throw new UsageError(`must be a number from 0.1 to ${FASTEST}, not "${value}"`);
    return factor;
  },
};
