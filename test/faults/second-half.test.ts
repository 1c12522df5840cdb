/** The other half of the runs: see first-half.test.ts. */
import { describe, expect, it } from 'vitest';
import { campaign } from './campaign.ts';

const SEED = 20_261_122;

describe('more random clusters under random faults', () => {
  it('keep every promise', { timeout: 900_000 }, async () => {
    expect(await campaign({ runs: 500, seed: SEED })).toBeUndefined();
  });
});
