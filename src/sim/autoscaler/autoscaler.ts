/** The cluster autoscaler: looks every ten seconds whether pods wait for a machine, and whether a machine waits for pods. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Part } from '../apiserver/api.ts';
import { pods } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Machines } from './machines.ts';
import { createScaleDown } from './scale-down.ts';
import { createScaleUp } from './scale-up.ts';

export interface AutoscalerOptions {
  readonly machines: Machines;
  readonly scheduler: Scheduler;
  /** From one look to the next. Default 10 s. */
  readonly scanEvery?: Millis;
  /** Which of several pools grows. Default 'least-waste'. */
  readonly expander?: 'least-waste' | 'random';
  /** Default true. */
  readonly scaleDown?: boolean;
  /** Default 0.5. */
  readonly utilisation?: number;
  /** Default 10 min. */
  readonly unneededFor?: Millis;
  /** After machines were asked for none goes for so long. Default 10 min. */
  readonly delayAfterAdd?: Millis;
  /** How long a machine may take to become a Node. Default 15 min. */
  readonly provisionLimit?: Millis;
}

const MINUTE = 60_000;

export function startAutoscaler(api: Api, options: AutoscalerOptions): Part {
  const { machines, scheduler, scanEvery = 10_000, expander = 'least-waste', delayAfterAdd = 10 * MINUTE } = options;
  const { clock } = api;
  const scaleUp = createScaleUp({ api, scheduler, machines, expander, provisionLimit: options.provisionLimit ?? 15 * MINUTE });
  const { utilisation = 0.5, unneededFor = 10 * MINUTE } = options;
  const scaleDown = createScaleDown({ api, scheduler, machines, utilisation, unneededFor });
  // Not the scheduler's own list: a pod that it tries again just now waits all the same.
  const waiting = new Set<string>();
  let lastAdd = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;

  const mayShrink = () =>
    options.scaleDown !== false &&
    machines.pools().some(({ name, autoscale }) => autoscale && machines.of(name).length > autoscale.min);
  const boots = () => machines.pools().some(({ name }) => machines.of(name).some(({ state }) => state !== 'running'));

  // A timer only while there is something to look at: a cluster at rest lets virtual time jump.
  function arm(): void {
    cancel ??= clock.after(scanEvery, scan);
  }

  function scan(): void {
    cancel = undefined;
    scaleUp.giveUp();
    if (scaleUp.run() > 0) lastAdd = clock.now();
    const busy = mayShrink() && scaleDown.run(clock.now() - lastAdd >= delayAfterAdd);
    if (busy || mayShrink() || boots() || waiting.size > 0) arm();
  }

  const stopWatch = api.watch(
    pods,
    ({ type, object }) => {
      const { uid } = object.metadata;
      const gone = type === 'DELETED';
      if (gone || object.spec.nodeName) waiting.delete(uid);
      else if (conditionOf(object.status?.conditions, 'PodScheduled')?.status === 'False') waiting.add(uid);
      else return;
      // A pod that goes may leave a node without use, one that finds none needs another.
      if (gone || waiting.has(uid)) arm();
    },
    { replay: true },
  );
  arm();

  return {
    name: 'autoscaler',
    stop() {
      cancel?.();
      stopWatch();
      scaleDown.stop();
    },
  };
}
