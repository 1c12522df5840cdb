/** `drover demo`: sets the stage, shows the course, and judges it. */
import type { Log } from '../../lib/log.ts';
import { type Clock, createScaledClock, createVirtualClock, type Millis } from '../../lib/clock.ts';
import type { Context } from '../command.ts';
import { elapsed } from '../elapsed.ts';
import { exitCode, UsageError } from '../errors.ts';
import type { LiveRegion } from '../live-region.ts';
import type { DemoFlags } from './command.ts';
import { liveLines, type Said } from './live-view.ts';
import { createPerformance, type Performance } from './performance.ts';
import { brokenPromises, causes, exitCodeOf, reportLines } from './report.ts';
import { createScene, type Scene } from './scene.ts';
import { setStage, type Stage } from './stage.ts';

const DEFAULT_SPEED = 5;
const FRAME_MS: Millis = 100;
const TRAFFIC_LINE_MS: Millis = 30_000;
/** Where virtual time begins: the same run has the same times in it. */
const EPOCH = Date.parse('2026-01-01T00:00:00Z');
const REMEMBERED = 40;

interface Stagecraft {
  readonly clock: Clock;
  /** Time passes until the work is done. */
  play<T>(work: Promise<T>): Promise<T>;
}

export async function run(context: Context, args: readonly string[], flags: DemoFlags): Promise<number> {
  if (args.length > 0) throw new UsageError(`demo takes no arguments, not "${args.join(' ')}"`);
  const speed = flags.speed ?? (flags.once ? Number.POSITIVE_INFINITY : DEFAULT_SPEED);
  if (flags.keep && speed === Number.POSITIVE_INFINITY)
    throw new UsageError('a cluster that runs as fast as it computes cannot be kept: give --speed a number, or leave --keep out');
  const { nodes, action, handover, seed, port } = flags;
  const scene = createScene({ nodes, action, handover, seed });
  const { clock, play } = speed === Number.POSITIVE_INFINITY ? virtual() : scaled(context.clock, speed);
  const startedAt = clock.now();
  const said: Said[] = [];
  const isQuiet = flags.output === 'json';
  let region: LiveRegion | null = null;

  const tell = (line: string, level: Said['level'] = 'info') => {
    said.push({ at: clock.now() - startedAt, line, level });
    if (said.length > REMEMBERED) said.shift();
    if (!region && !isQuiet)
      context.screen.out(`${stamp(clock.now() - startedAt)}  ${level === 'info' ? '' : `${level}: `}${line}`);
  };
  const stage = await setStage({ scene, clock, port, log: logTo(tell, context.log) });
  let performance: Performance | undefined;
  let stopShowing = () => {};
  try {
    if (!isQuiet) introduce(context, scene, stage, speed);
    if (!isQuiet && !flags.once && !context.verbose) region = context.screen.live();
    performance = createPerformance(stage, scene, tell);
    stopShowing = region
      ? showLive(context, region, performance, said)
      : isQuiet
        ? stopShowing
        : tellTraffic(clock, performance, tell);
    await play(performance.perform(context.interrupt));
    stopShowing();
    region?.end();
    region = null;

    const report = performance.report();
    const broken = brokenPromises(report);
    if (isQuiet) context.screen.out(JSON.stringify({ ...report, broken }, null, 2));
    else {
      context.screen.out('');
      for (const line of reportLines(report, context.screen)) context.screen.out(line);
      context.screen.out('');
      for (const line of suggestions(context, flags)) context.screen.out(line);
    }
    for (const line of broken) context.screen.err(`broken promise: ${line}`);
    if (flags.keep) await keep(context, stage, isQuiet);
    return exitCodeOf(report);
  } catch (error) {
    if (!context.interrupt.aborted) throw error;
    stopShowing();
    region?.end();
    context.screen.err('interrupted; the simulated cluster is gone, and nothing of it is left');
    return exitCode.interrupted;
  } finally {
    stopShowing();
    region?.end();
    performance?.stop();
    await play(stage.close());
  }
}

function scaled(wall: Clock, speed: number): Stagecraft {
  return { clock: createScaledClock(speed, undefined, wall), play: (work) => work };
}

function virtual(): Stagecraft {
  const clock = createVirtualClock(EPOCH);
  return {
    clock,
    async play(work) {
      const course = { isOver: false };
      const over = () => (course.isOver = true);
      work.then(over, over);
      // Without a timer left it can only wait for the outside: a socket that closes.
      while (!course.isOver) {
        await clock.run({ stop: () => course.isOver });
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return work;
    },
  };
}

/** What its statuses do not say. */
function logTo(tell: (line: string, level?: Said['level']) => void, log: Log): Log {
  return {
    debug: (message, fields) => log.debug(message, fields),
    info: (message, fields) => log.debug(message, fields),
    warn: (message) => tell(message, 'warning'),
    error: (message) => tell(message, 'error'),
  };
}

function introduce({ screen }: Context, scene: Scene, stage: Stage, speed: number): void {
  const pace = speed === Number.POSITIVE_INFINITY ? 'as fast as it computes' : `${speed} times as fast as real time`;
  screen.out(`A simulated Kubernetes cluster of ${scene.nodes} nodes in three zones, ${pace}; none of yours is touched.`);
  screen.out(
    `Your own kubectl works on it, in another terminal:  ${screen.paint('strong', `export KUBECONFIG=${stage.kubeconfig}`)}`,
  );
  screen.out('');
}

function showLive({ screen, clock }: Context, region: LiveRegion, performance: Performance, said: readonly Said[]): () => void {
  let cancel = () => {};
  const frame = () => {
    region.draw(liveLines(performance.picture(), said, { screen }));
    cancel = clock.after(FRAME_MS, frame);
  };
  frame();
  return () => {
    cancel();
    cancel = () => {};
    region.draw(liveLines(performance.picture(), said, { screen }));
  };
}

function tellTraffic(clock: Clock, performance: Performance, tell: (line: string) => void): () => void {
  let cancel = () => {};
  const again = () => {
    const { requests, drained, old, budgets } = performance.picture();
    const violations = budgets.reduce((sum, each) => sum + each.violations, 0);
    if (requests.sent > 0)
      tell(
        `${drained} of ${old} nodes drained; ${requests.sent} requests sent, ${requests.failed} failed${causes(requests.failures)}; ${violations} budget violations`,
      );
    cancel = clock.after(TRAFFIC_LINE_MS, again);
  };
  cancel = clock.after(TRAFFIC_LINE_MS, again);
  return () => cancel();
}

function suggestions({ program, env }: Context, { handover, action, keep: isKept }: DemoFlags): string[] {
  const demo = env['npm_lifecycle_event'] === 'start' ? 'npm start --' : `${program} demo`;
  return [
    handover === 'never'
      ? `${demo} --handover always   # replacements first: what no eviction can do`
      : `${demo} --handover never    # evictions alone, as kubectl drain does: what it costs, and what never ends`,
    action === 'drain'
      ? `${demo} --action replace    # the nodes are deleted, and new ones take their place`
      : `${demo} --action drain      # the nodes are worked on, and come back`,
    ...(isKept
      ? []
      : [`${demo} --keep              # stays up at the end; look around with kubectl, drover status, drover why NODE`]),
  ];
}

async function keep({ screen, interrupt }: Context, stage: Stage, isQuiet: boolean): Promise<void> {
  if (!isQuiet) screen.out(`\nThe cluster stays up at ${stage.url} (export KUBECONFIG=${stage.kubeconfig}); Ctrl-C ends it.`);
  if (!interrupt.aborted) await new Promise<void>((done) => interrupt.addEventListener('abort', () => done(), { once: true }));
}

function stamp(ms: Millis): string {
  return elapsed(ms).padStart(6);
}
