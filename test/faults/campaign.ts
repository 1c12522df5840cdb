/** Many runs, and what becomes of one that breaks a promise: made as small as possible, with the command that repeats it. */
import fc from 'fast-check';
import type { Case } from './case.ts';
import { drawnCase } from './draw.ts';
import { runCase } from './run-case.ts';

/** Of each of the two test files, one for each core: 1,000 in CI, fewer where somebody waits for them. */
export const RUNS_OF_A_FILE = process.env.CI === 'true' ? 500 : 100;

export interface CampaignOptions {
  readonly runs: number;
  readonly seed: number;
  /** Begin with this run. Default 0. */
  readonly from?: number;
  /** A failing run is made smaller for at most so long. Default 2 minutes. */
  readonly shrinkMs?: number;
  readonly onRun?: (count: number) => void;
}

/** The run that a failure names. */
export function caseAt(seed: number, path: string): Case {
  const [drawn] = fc.sample(drawnCase, { seed, path, numRuns: 1 });
  if (!drawn) throw new RangeError(`there is no run ${path} of seed ${seed}`);
  return drawn;
}

/** Runs until a promise is broken. Resolves with what is to be said about it, or undefined when none was. */
export async function campaign(options: CampaignOptions): Promise<string | undefined> {
  const { runs, seed, from = 0, shrinkMs = 120_000 } = options;
  let count = from;
  let giveUpAt = Number.POSITIVE_INFINITY;
  const property = fc.asyncProperty(drawnCase, async (drawn) => {
    count += 1;
    options.onRun?.(count);
    // What is not tried counts as kept, so that the smallest that is known stays.
    if (performance.now() > giveUpAt) return;
    const { breaches } = await runCase(drawn);
    if (breaches.length === 0) return;
    giveUpAt = Math.min(giveUpAt, performance.now() + shrinkMs);
    throw new Error(breaches.join('\n'));
  });
  const result = await fc.check(property, { numRuns: runs, seed, ...(from > 0 && { path: String(from) }) });
  if (!result.failed) return undefined;
  const { errorInstance: error, counterexamplePath, counterexample } = result;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `run ${counterexamplePath?.split(':')[0]} of seed ${result.seed} breaks a promise`,
    `repeat it with:  npm run faults -- --seed ${result.seed} --path ${counterexamplePath}`,
    ...what.split('\n').filter((line) => !/^\s+at .*(node_modules|node:|campaign)/.test(line)),
    JSON.stringify(counterexample?.[0]),
  ].join('\n');
}
