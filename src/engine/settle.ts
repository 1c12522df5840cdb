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
      const ready = workloads.pods.filter((pod) => pod.owner?.uid === replicaSet.uid && pod.ready && pod.deletedAt === undefined);
      return ready.length >= replicaSet.replicas;
    }
    case 'StatefulSet':
      // Re-created under its name; when the set was scaled down meanwhile it stays away and the time-out ends the wait.
      return workloads.pods.some((pod) => pod.owner?.uid === moved.owner.uid && pod.name === moved.name && pod.ready);
    default:
      return true;
  }
}
