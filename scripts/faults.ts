/**
 * The randomised test by hand: `npm run faults -- [--runs N] [--seed S] [--from RUN]`. With `--path P`, which a failure names, one run is
 * repeated and everything that happens in it is told.
 */
import { parseArgs } from 'node:util';
import { campaign, caseAt } from '../test/faults/campaign.ts';
import { runCase } from '../test/faults/run-case.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, from: { type: 'string' }, path: { type: 'string' } },
});

function whole(name: 'runs' | 'seed' | 'from', otherwise: number): number {
  const value = Number(values[name] ?? otherwise);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} must be a whole number, not ${values[name]}\n`);
  process.exit(2);
}

const print = (text: string) => void process.stdout.write(`${text}\n`);
const seed = whole('seed', Date.now() % 2 ** 31);
const runs = whole('runs', 1_000);
const began = performance.now();
const spent = () =>
  `${((performance.now() - began) / 1_000).toFixed(1)} s (${(process.cpuUsage().user / 1e6).toFixed(1)} s of CPU)`;

if (values.path !== undefined) {
  const drawn = caseAt(seed, values.path);
  const { said, breaches } = await runCase(drawn, true);
  print(`${said.join('\n')}\n\n${JSON.stringify(drawn)}\n`);
  print(breaches.length === 0 ? 'every promise kept' : breaches.join('\n'));
  process.exitCode = breaches.length === 0 ? 0 : 1;
} else {
  const onRun = (count: number) => void (count % 1_000 === 0 && print(`${count} runs in ${spent()}`));
  const failure = await campaign({ runs, seed, from: whole('from', 0), onRun });
  print(failure ?? `${runs} runs with seed ${seed} in ${spent()}: every promise kept`);
  process.exitCode = failure === undefined ? 0 : 1;
}
