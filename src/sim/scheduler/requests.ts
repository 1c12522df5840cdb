/** What a pod asks for, as the scheduler adds it up (component-helpers resource/helpers.go, PodRequests). */
import type { Container, PodSpec, Quantities } from '../kubernetes.ts';
import { milliOf, unitsOf } from '../quantity.ts';

/** CPU in millicores, the rest in bytes or units. */
export interface Requests {
  readonly cpu: number;
  readonly memory: number;
  readonly storage: number;
  /** Extended resources and huge pages asked for, those of 0 left out. */
  readonly scalars: ReadonlyMap<string, number>;
  /** With 100m and 200 MB for each container that names none: what LeastAllocated counts (pkg/scheduler/util/pod_resources.go). */
  readonly scoredCpu: number;
  readonly scoredMemory: number;
}

const MISSING: Quantities = { cpu: '100m', memory: String(200 * 1024 * 1024) };

const amount = (name: string, quantity: string | number | undefined) => (name === 'cpu' ? milliOf(quantity) : unitsOf(quantity));

function addUp(spec: PodSpec, missing: Quantities | undefined): Map<string, number> {
  const add = (sum: Map<string, number>, list: Quantities | undefined) => {
    for (const name in list) sum.set(name, (sum.get(name) ?? 0) + amount(name, list[name]));
  };
  const asked = ({ resources }: Container): Quantities | undefined =>
    missing ? { ...missing, ...resources?.requests } : resources?.requests;
  const total = new Map<string, number>();
  for (const container of spec.containers) add(total, asked(container));
  if (spec.initContainers) {
    const sidecars = new Map<string, number>();
    const most = new Map<string, number>();
    for (const container of spec.initContainers) {
      // A sidecar runs beside all that starts after it, an ordinary init container beside the sidecars before it.
      const running = new Map(sidecars);
      add(running, asked(container));
      if (container.restartPolicy === 'Always') {
        add(sidecars, asked(container));
        add(total, asked(container));
      }
      for (const [name, value] of running) most.set(name, Math.max(most.get(name) ?? 0, value));
    }
    for (const [name, value] of most) total.set(name, Math.max(total.get(name) ?? 0, value));
  }
  // resources of the pod as a whole come before those of its containers (PodLevelResources, on by default since 1.34).
  const whole = (spec as { readonly resources?: { readonly requests?: Quantities } }).resources?.requests;
  for (const name in whole) total.set(name, amount(name, whole[name]));
  add(total, spec.overhead);
  return total;
}

const ORDINARY = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);

/** Adds up a pod's requests: containers, the dearest moment of the init containers, sidecars, overhead. */
export function requestsOf(spec: PodSpec): Requests {
  const total = addUp(spec, undefined);
  const scored = addUp(spec, MISSING);
  const scalars = new Map<string, number>();
  for (const [name, value] of total) if (!ORDINARY.has(name) && value > 0) scalars.set(name, value);
  return {
    cpu: total.get('cpu') ?? 0,
    memory: total.get('memory') ?? 0,
    storage: total.get('ephemeral-storage') ?? 0,
    scalars,
    scoredCpu: scored.get('cpu') ?? 0,
    scoredMemory: scored.get('memory') ?? 0,
  };
}
