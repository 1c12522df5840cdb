/** One process of Drover in the run: the real controller on a clock and a connection that can fail it. */
import { runController } from '../../src/controller/controller.ts';
import { noClusterLimits } from '../../src/engine/admission.ts';
import { KubeError, type KubeRequest } from '../../src/kube/client.ts';
import type { Millis } from '../../src/lib/clock.ts';
import type { Log } from '../../src/lib/log.ts';
import type { ApiAnswer, OpenWatch } from '../../src/sim/apiserver/door.ts';
import { createInProcessClient } from '../../src/sim/apiserver/in-process.ts';
import { createSeededRandom } from '../../src/sim/seeded-random.ts';
import { createProcessClock } from './process-clock.ts';
import type { Stage } from './stage.ts';

export interface Process {
  readonly identity: string;
  /** Everything that is only in its memory is gone; what it waits for never comes. */
  crash(): void;
  freeze(): void;
  thaw(): void;
  shiftClock(by: Millis): void;
  cutWatches(): void;
  /** Events reach it so much later; 0 ends it. */
  lagWatches(by: Millis): void;
}

export interface ProcessOptions {
  readonly stage: Stage;
  readonly identity: string;
  readonly seed: number;
  readonly leaderElect: boolean;
  readonly before: (process: Process, request: KubeRequest) => void | Promise<void>;
  readonly after: (process: Process, request: KubeRequest) => void | Promise<void>;
  /** It has ended by itself, as it does when its first reads fail for good. */
  readonly onExit: (process: Process) => void;
}

const ignore = () => {};
const observer = { leading: ignore, passed: ignore, answered: ignore, watchRestarted: ignore };

export function startProcess(options: ProcessOptions): Process {
  const { stage, identity } = options;
  // One for each: what waits for it for ever, and the whole cluster with it, would else stay in memory for all runs.
  const never = new Promise<never>(ignore);
  const clock = createProcessClock(stage.clock, () => {
    stage.broken('nothing is repeated without end', `${identity} begins anew without letting time pass`);
    stage.giveUp();
  });
  let alive = true;
  let lag: Millis = 0;

  /** The events of a watch, later and in their order. */
  function lagging(watch: OpenWatch): OpenWatch {
    return {
      start(send, end) {
        let dueAt = 0;
        let waiting = 0;
        let open = true;
        const later = (what: () => void) => {
          if (lag === 0 && waiting === 0) return what();
          dueAt = Math.max(dueAt, stage.clock.now() + lag);
          waiting += 1;
          stage.clock.after(dueAt - stage.clock.now(), () => {
            waiting -= 1;
            if (open) what();
          });
        };
        const stop = watch.start(
          (event) => later(() => send(event)),
          () => later(end),
        );
        return () => {
          open = false;
          stop();
        };
      },
    };
  }

  const client = createInProcessClient({
    handle(request): ApiAnswer {
      const answer = stage.askAsDrover(request);
      return 'watch' in answer ? { ...answer, watch: lagging(answer.watch) } : answer;
    },
    clock,
    userAgent: 'drover',
    async before(request) {
      if (!alive) await never;
      await options.before(process, request);
      if (!alive) await never;
    },
    async after(request) {
      if (!alive) await never;
      await options.after(process, request);
      if (!alive) await never;
      await clock.thawed();
    },
  });
  const log: Log = {
    debug: ignore,
    info: (message) => stage.say(`${identity}  ${message}`),
    warn: (message) => stage.say(`${identity}  warning: ${message}`),
    // The controller logs as an error only what it did not foresee.
    error: (message) => stage.broken('the controller meets no error that it did not foresee', message),
  };
  const process: Process = {
    identity,
    crash() {
      alive = false;
      clock.kill();
      for (const stream of client.openStreams) stream.cut();
    },
    freeze: () => clock.freeze(),
    thaw: () => clock.thaw(),
    shiftClock: (by) => clock.shift(by),
    cutWatches() {
      for (const stream of client.openStreams) stream.cut();
    },
    lagWatches(by) {
      lag = by;
    },
  };
  const controller = runController({
    client,
    clock,
    log,
    random: createSeededRandom(options.seed),
    identity,
    leaderElect: options.leaderElect,
    leaseNamespace: 'default',
    askGates: 'TakenAsOpen',
    limits: noClusterLimits,
    observer,
  });
  void controller.ready.catch((error: unknown) => {
    if (!alive) return;
    if (!(error instanceof KubeError)) throw error;
    stage.say(`${identity}  ends: ${error.message}`);
    process.crash();
    options.onExit(process);
  });
  return process;
}
