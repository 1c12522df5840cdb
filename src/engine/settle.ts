/** When an empty node counts as drained: empty for a while, its volumes off, and what left it Ready somewhere else. */
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import type { MovedPod } from './maintenance.ts';
import type { StepInput } from './steps.ts';
import type { Workloads } from './world.ts';

export function settlingBlocker(input: StepInput): { readonly blocker: Blocker; readonly wakeAt: Millis | null } | null {
  const { maintenance, node, world, needs, now } = input;
  const { settings, state, memory } = maintenance;
  const emptyUntil = state.phaseSince + settings.emptyForMs;
  if (now < emptyUntil) return { blocker: { cause: 'NotEmptyLongEnough', until: emptyUntil }, wakeAt: emptyUntil };

  if (settings.waitForVolumes && memory.movedClaims !== false && node) {
    needs.attachments = true;
    const attached = world.attachmentsOf(node.name);
    if (!attached) return { blocker: { cause: 'NotYetSeen', what: `the volume attachments of node ${node.name}` }, wakeAt: null };
    // Pods that stay (DaemonSets, skipped ones) keep their volumes.
    const kept = new Set((world.podsOn(node.name) ?? []).flatMap((pod) => pod.claims.map((claim) => `${pod.namespace}/${claim}`)))
      .size;
    if (attached.length > kept)
      return { blocker: { cause: 'VolumesAttached', volumes: attached.map((each) => each.volumeName) }, wakeAt: null };
  }

  if (settings.settleTimeoutMs === null) return null;
  const until = state.phaseSince + settings.settleTimeoutMs;
  if (now >= until) return null;
  const waiting = new Set<string>();
  for (const namespace of new Set(memory.moved.map((pod) => pod.namespace))) {
    needs.workloads.add(namespace);
    const workloads = world.workloads(namespace);
    if (!workloads) return { blocker: { cause: 'NotYetSeen', what: `the workloads of namespace ${namespace}` }, wakeAt: until };
    for (const pod of memory.moved)
      if (pod.namespace === namespace && !isBack(pod, workloads)) waiting.add(`${namespace}/${pod.owner.kind}/${pod.owner.name}`);
  }
  return waiting.size === 0 ? null : { blocker: { cause: 'NotSettled', owners: [...waiting], until }, wakeAt: until };
}

function isBack(moved: MovedPod, workloads: Workloads): boolean {
  switch (moved.owner.kind) {
    case 'ReplicaSet': {
      const replicaSet = workloads.replicaSets.get(moved.owner.uid);
      if (!replicaSet) return true;
      return (readyByOwner(workloads).get(replicaSet.uid)?.living ?? 0) >= replicaSet.replicas;
    }
    case 'StatefulSet':
      // Re-created under its name; when the set was scaled down meanwhile it stays away and the time-out ends the wait.
      return readyByOwner(workloads).get(moved.owner.uid)?.names.has(moved.name) ?? false;
    default:
      return true;
  }
}

/** The Ready pods of one owner. */
interface Ready {
  living: number;
  readonly names: Set<string>;
}

// A snapshot is asked once for each pod that has left, in each pass.
const counted = new WeakMap<Workloads, ReadonlyMap<string, Ready>>();

function readyByOwner(workloads: Workloads): ReadonlyMap<string, Ready> {
  let found = counted.get(workloads);
  if (!found) {
    const byOwner = new Map<string, Ready>();
    for (const { ready, owner, name, deletedAt } of workloads.pods) {
      if (!ready || !owner) continue;
      let own = byOwner.get(owner.uid);
      if (!own) byOwner.set(owner.uid, (own = { living: 0, names: new Set() }));
      own.names.add(name);
      if (deletedAt === undefined) own.living += 1;
    }
    counted.set(workloads, (found = byOwner));
  }
  return found;
}
