/** The pools of a scenario as the cloud of the simulation knows them. */
import type { NodePool } from '../autoscaler/node-pool.ts';
import type { Latency } from '../apiserver/api.ts';
import type { ScenarioPool } from './schema.ts';

/** The nodes that a pool has at the start: NAME-1, NAME-2 ..., as `createMachines` names them. */
export function nodeNames({ name, count }: Pick<ScenarioPool, 'name' | 'count'>): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

export function nodePool(pool: ScenarioPool): NodePool {
  const { name, zones, size, labels, taints, machineType, kubelet = {}, boot, failingBoots, capacity, autoscale } = pool;
  const steps = Object.entries(kubelet).flatMap(([step, time]) =>
    time ? [[`sim.drover.dev/${step}`, stepText(time)] as const] : [],
  );
  return {
    name,
    zones,
    template: {
      labels,
      taints,
      machineType,
      allocatable: size,
      ...(steps.length > 0 && { annotations: Object.fromEntries(steps) }),
    },
    boot,
    failingBoots,
    ...(capacity && { capacity }),
    ...(autoscale && { autoscale }),
  };
}

/** A time as the kubelets read it from an annotation: milliseconds, or a range of them. */
export function stepText({ least, spread }: Latency): string {
  return spread === 0 ? String(least) : `${least} to ${least + spread}`;
}
