/** The other half of the runs: see first-half.test.ts. */
import { describe, expect, it } from 'vitest';
import { campaign, RUNS_OF_A_FILE } from './campaign.ts';

const SEED = 20_261_122;

describe('more random clusters under random faults', () => {
  it('keep every promise', { timeout: 900_000 }, async () => {
    const failure = await campaign({ runs: RUNS_OF_A_FILE, seed: SEED });
    // As the message, too: vitest shortens a value, and with it the command that repeats the run.
    expect(failure, failure).toBeUndefined();
  });
});
