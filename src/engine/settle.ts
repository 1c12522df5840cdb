/** When an empty node counts as drained: empty for a while, its volumes off, and what left it Ready somewhere else. */
import type { Owner, Pod } from '../api/objects.ts';
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';
import type { MaintenanceMemory } from './maintenance.ts';
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
  const waiting: string[] = [];
  for (const [namespace, owners] of movedByOwner(memory)) {
    needs.workloads.add(namespace);
    const workloads = world.workloads(namespace);
    if (!workloads) return { blocker: { cause: 'NotYetSeen', what: `the workloads of namespace ${namespace}` }, wakeAt: until };
    for (const moved of owners)
      if (!isBack(moved, workloads)) waiting.push(`${namespace}/${moved.owner.kind}/${moved.owner.name}`);
  }
  return waiting.length === 0 ? null : { blocker: { cause: 'NotSettled', owners: waiting, until }, wakeAt: until };
}

/** What has left of one owner. */
interface MovedOf {
  readonly owner: Owner;
  readonly names: string[];
}

// Asked in each pass, and the memory is another one only when a pod has left.
const grouped = new WeakMap<MaintenanceMemory, ReadonlyMap<string, readonly MovedOf[]>>();

/** By namespace. */
function movedByOwner(memory: MaintenanceMemory): ReadonlyMap<string, readonly MovedOf[]> {
  let found = grouped.get(memory);
  if (!found) {
    const byOwner = new Map<string, MovedOf>();
    const byNamespace = new Map<string, MovedOf[]>();
    for (const { namespace, name, owner } of memory.moved) {
      const known = byOwner.get(owner.uid);
      if (known) {
        known.names.push(name);
        continue;
      }
      const first = { owner, names: [name] };
      byOwner.set(owner.uid, first);
      const list = byNamespace.get(namespace);
      if (list) list.push(first);
      else byNamespace.set(namespace, [first]);
    }
    grouped.set(memory, (found = byNamespace));
  }
  return found;
}

function isBack({ owner, names }: MovedOf, workloads: Workloads): boolean {
  switch (owner.kind) {
    case 'ReplicaSet': {
      const replicaSet = workloads.replicaSets.get(owner.uid);
      return !replicaSet || readyOf(owner.uid, workloads).living >= replicaSet.replicas;
    }
    case 'StatefulSet': {
      // Re-created under its name; when the set was scaled down meanwhile it stays away and the time-out ends the wait.
      const ready = readyOf(owner.uid, workloads).names;
      return names.every((name) => ready.has(name));
    }
    default:
      return true;
  }
}

/** The Ready pods of one owner. */
interface Ready {
  readonly living: number;
  readonly names: ReadonlySet<string>;
}

// The pods of an owner are the same list until one of them changes.
const counted = new WeakMap<readonly Pod[], Ready>();

function readyOf(ownerUid: string, { pods }: Workloads): Ready {
  const own = pods.of(ownerUid);
  let found = counted.get(own);
  if (!found) {
    // Not those that are handed over: they leave, too.
    const ready = own.filter((pod) => pod.ready && pod.owner);
    found = {
      living: ready.filter((pod) => pod.deletedAt === undefined).length,
      names: new Set(ready.map((pod) => pod.name)),
    };
    counted.set(own, found);
  }
  return found;
}
