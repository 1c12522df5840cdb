/** `npm run bench`: measures Drover side by side with kubectl drain. Fails when a bench cannot run or a promise is broken, never for a time. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBeds } from '../test/beds/binaries.ts';
import { cordon } from './cordon.ts';
import { help } from './help.ts';
import { describeMachine } from './machine.ts';
import { memory } from './memory.ts';
import { oneNode } from './one-node.ts';
import { plan } from './plan.ts';
import { markdownPage, type Reports, terminalReport } from './report.ts';
import type { Bench } from './result.ts';
import { rotation } from './rotation.ts';

const benches: Readonly<Record<string, Bench>> = { cordon, 'one-node': oneNode, rotation, memory, help, plan };

const USAGE = `npm run bench -- [--only NAME[,NAME]] [--runs N] [--write] [--dist FOLDER] [--node-flag FLAG]
  --only NAME       one of ${Object.keys(benches).join(', ')}; default: all but plan, which is far from its bars and takes many minutes
  --runs N          how often each repeated measurement is made; default: 30 cordons, 5 drains, 10 starts
  --write           also write docs/benchmarks.md and docs/benchmarks.json; benches left out keep their last figures
  --dist FOLDER     the build that is measured; default: dist
  --node-flag FLAG  a flag of node for the controller, like --cpu-prof; repeatable
`;

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** @throws Error when there is no build, or one that is older than the source */
function builtDrover(folder: string): string {
  const drover = `${folder}/drover.js`;
  if (!existsSync(drover)) throw new Error(`${drover} is missing; make it with: npm run build`);
  const builtAt = statSync(drover).mtimeMs;
  const sources = readdirSync(path('src'), { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.ts$/.test(file));
  const newer = sources.find((file) => statSync(path(`src/${file}`)).mtimeMs > builtAt);
  if (newer) throw new Error(`${drover} is older than src/${newer}; build it again with: npm run build`);
  return drover;
}

function readReports(file: string): Reports {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Reports) : {};
}

function writeFile(relative: string, text: string): void {
  mkdirSync(dirname(path(relative)), { recursive: true });
  writeFileSync(path(relative), text);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      runs: { type: 'string' },
      write: { type: 'boolean', default: false },
      dist: { type: 'string', default: path('dist') },
      'node-flag': { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const names = values.only?.split(',') ?? Object.keys(benches).filter((name) => name !== 'plan');
  const unknown = names.find((name) => !(name in benches));
  if (unknown !== undefined) throw new Error(`there is no bench ${unknown}; there are ${Object.keys(benches).join(', ')}`);
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
    throw new Error(`--runs must be a whole number from 1 on, not ${values.runs}`);
  const { controlPlane } = findBeds();
  if (!controlPlane.available)
    throw new Error(`the control-plane bed is missing: ${controlPlane.because}; get it with: ${controlPlane.get}`);
  const drover = builtDrover(values.dist);

  const reports: Record<string, Reports[string]> = {};
  for (const [name, bench] of Object.entries(benches)) {
    if (!names.includes(name)) continue;
    const machine = describeMachine();
    const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
    const result = await bench.run({ drover, runs, nodeFlags: values['node-flag'], say });
    reports[name] = { title: bench.title, machine, ...result };
    process.stdout.write(`${terminalReport(reports[name])}\n\n`);
    writeFile('bench/results/latest.json', `${JSON.stringify(reports, null, 2)}\n`);
  }

  if (values.write) {
    const before = readReports(path('docs/benchmarks.json'));
    const all = Object.fromEntries(
      Object.keys(benches).flatMap((name) => {
        const report = reports[name] ?? before[name];
        return report ? [[name, report]] : [];
      }),
    );
    writeFile('docs/benchmarks.json', `${JSON.stringify(all, null, 2)}\n`);
    writeFile('docs/benchmarks.md', markdownPage(all));
    process.stderr.write('docs/benchmarks.md is written; format it with: npm run format\n');
  }
  return Object.values(reports).some(({ broken }) => broken.length > 0) ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const because = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}${because}\n`);
    process.exit(1);
  },
);
