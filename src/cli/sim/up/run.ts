/** `drover sim up`: in the foreground until Ctrl-C, or in a process of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readFileText, readScenario, ScenarioError } from '../../../sim/scenario/read.ts';
import type { Scenario } from '../../../sim/scenario/schema.ts';
import type { Context } from '../../command.ts';
import { CommandError, UsageError } from '../../errors.ts';
import { fileText } from '../../file-text.ts';
import { nameArgument } from '../name.ts';
import { findRunning } from '../running.ts';
import { type ClusterFiles, filesOf, readRecord, removeFiles, type RunningCluster, write, writeRecord } from '../state.ts';
import type { UpFlags } from './command.ts';
import { trafficLines } from './traffic-lines.ts';

const LOOK_MS = 50;

export async function run(context: Context, args: readonly string[], flags: UpFlags): Promise<number> {
  const [path, ...more] = args;
  if (more.length > 0) throw new UsageError('name one file at most');
  if (flags.port > 65_535) throw new UsageError(`--port must be at most 65535, not ${flags.port}`);
  const seed = readSeed(flags.seed);
  const scenario = await readGiven(path, flags.nodes);
  const files = filesOf(flags.name, context.env);
  const kubeconfig = flags.kubeconfigOut === null ? files.kubeconfig : resolve(flags.kubeconfigOut);
  refuseForeign(kubeconfig);
  const running = await findRunning(context, flags.name);
  if (running) {
    throw new CommandError(
      `a simulated cluster "${flags.name}" runs already at ${running.url} (pid ${running.pid}); stop it with: ${context.program} sim down${nameArgument(flags.name)}, or give this one another --name`,
    );
  }
  // What is left of one that was killed.
  removeFiles(files.record);
  return flags.detach
    ? startInBackground(context, path, flags, files)
    : runHere(context, flags, { path, scenario, seed: seed ?? scenario.seed, files, kubeconfig });
}

interface Prepared {
  readonly path: string | undefined;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly files: ClusterFiles;
  readonly kubeconfig: string;
}

async function runHere(context: Context, flags: UpFlags, prepared: Prepared): Promise<number> {
  const { path, scenario, seed, files, kubeconfig } = prepared;
  const { port, speed } = flags;
  const simulation = await context.startSimulation({ scenario, source: path ?? '--nodes', seed, port, speed });
  try {
    write(kubeconfig, simulation.kubeconfig);
    const record = { pid: process.pid, url: simulation.url, kubeconfig };
    // Last: whoever finds the record finds a cluster that answers.
    writeRecord(files, record);
    tell(context, flags, record, simulation.nodes);
    await untilAborted(context.interrupt);
    if (flags.output === 'text') for (const line of trafficLines(simulation.traffic())) context.screen.out(line);
    return 0;
  } finally {
    removeFiles(files.record, kubeconfig);
    await simulation.close();
  }
}

async function startInBackground(
  context: Context,
  path: string | undefined,
  flags: UpFlags,
  files: ClusterFiles,
): Promise<number> {
  const { name, nodes, port, speed, seed, kubeconfigOut } = flags;
  const given = { name, nodes, port, speed, seed, 'kubeconfig-out': kubeconfigOut };
  const argv = Object.entries(given).flatMap(([flag, value]) => (value === null ? [] : [`--${flag}=${value}`]));
  write(files.log, '');
  const child = context.processes.start(['sim', 'up', ...(path === undefined ? [] : [path]), ...argv], files.log);
  for (;;) {
    const record = readRecord(files);
    if (record?.pid === child.pid) {
      tell(context, flags, record, undefined);
      return 0;
    }
    if (child.hasEnded()) {
      const line = /^error: (.*)$/m.exec(readFileSync(files.log, 'utf8'))?.[1];
      if (line === undefined) throw new CommandError(`the simulated cluster did not come up; its output is in ${files.log}`);
      removeFiles(files.log);
      throw new CommandError(line);
    }
    try {
      await context.clock.sleep(LOOK_MS, context.interrupt);
    } catch (error) {
      context.processes.end(child.pid);
      throw error;
    }
  }
}

function tell(
  { screen, program }: Context,
  { name, output, detach }: UpFlags,
  record: RunningCluster,
  nodes: number | undefined,
): void {
  if (output === 'json') return screen.out(JSON.stringify({ name, ...record }, null, 2));
  const size = nodes === undefined ? '' : ` with ${nodes} node${nodes === 1 ? '' : 's'}`;
  screen.out(`simulated cluster "${name}" is up at ${record.url}${size}`);
  screen.out(`  export KUBECONFIG=${record.kubeconfig}`);
  screen.out('  kubectl get nodes');
  screen.out(detach ? `It runs in the background; stop it with: ${program} sim down${nameArgument(name)}` : 'Ctrl-C ends it.');
}

/** Where the file brings no pools with it (manifests, or no file): `count` empty nodes. @throws CommandError */
async function readGiven(path: string | undefined, count: number): Promise<Scenario> {
  const pools = [{ name: 'node', count, zones: ['zone-a', 'zone-b', 'zone-c'] }];
  try {
    if (path === undefined) return readScenario({ pools }, '--nodes');
    const file = readFileText(await fileText(path), path);
    return file.kind === 'scenario' ? file.scenario : readScenario({ pools, objects: file.objects }, path);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new CommandError(error.message, { details: error.details.map((line) => `error: ${line}`), cause: error });
  }
}

function readSeed(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--seed must be a whole number, not "${text}"`);
  return Number(text);
}

/** Somebody's own kubeconfig must not be written over. @throws CommandError */
function refuseForeign(path: string): void {
  if (!existsSync(path)) return;
  if (!/^current-context: drover-sim$/m.test(readFileSync(path, 'utf8')))
    throw new CommandError(
      `${path} is there already and is not the kubeconfig of a simulated cluster; choose another --kubeconfig-out`,
    );
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
