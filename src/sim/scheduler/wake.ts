/**
 * Which unschedulable pods an event may help. Upstream's queueing hints wake on any pod that goes; here a class wakes when it would fit
 * the node of the event by what that node alone decides, or when the event touches a count that its constraints go by.
 */
import type { Claim } from '../kubernetes.ts';
import type { ClusterView, PodEntry } from './cluster-view.ts';
import { portsClash } from './host-ports.ts';
import type { PodClass } from './pod-registry.ts';
import { hasRoom } from './resource-fit.ts';
import type { QueuedPod, SchedulingQueue } from './queue.ts';

export interface Waker {
  /** A pod of this class is gone from the node. */
  freed(slot: number, gone: PodClass): void;
  /** A pod of this class is on a node now. */
  placed(there: PodClass): void;
  /** A pod on the node is of another class now: other labels, other requests. */
  turned(slot: number, before: PodClass, after: PodClass): void;
  /** A node is new or has changed. */
  roomAt(slot: number): void;
  /** Topologies have changed. */
  nodesChanged(): void;
  /** The waiting pod itself has changed. */
  changed(entry: PodEntry): void;
  claimChanged(claim: Claim): void;
  volumesChanged(): void;
}

const looksAround = ({ traits }: PodClass) =>
  traits.hardSpread.length > 0 || traits.affinity.length > 0 || traits.antiAffinity.length > 0;

export function createWaker(view: ClusterView, queue: SchedulingQueue): Waker {
  function mayFit({ traits }: PodClass, slot: number): boolean {
    if (view.filterOf(traits.placement).check(slot) !== 0 || !hasRoom(traits.requests, view.nodes.rows, view.nodes.scalars, slot))
      return false;
    return traits.ports.length === 0 || !portsClash(traits.ports, view.portsAt(slot));
  }

  function roomAt(slot: number): void {
    if (queue.stuck.size === 0) return;
    const name = view.nodes.names[slot];
    for (const [kind, alike] of queue.stuck) {
      if (!mayFit(kind, slot)) continue;
      const here: QueuedPod[] = [];
      for (const pod of alike) if (pod.entry.pin === undefined || pod.entry.pin === name) here.push(pod);
      queue.wake(here);
    }
  }

  /** True when a pod of `other` counts in a constraint of `kind`. */
  const concerns = (kind: PodClass, other: PodClass) => kind.own.some((tally) => other.tallies.has(tally));

  function around(other: PodClass): void {
    if (queue.stuck.size === 0) return;
    for (const [kind, alike] of queue.stuck) if (looksAround(kind) && concerns(kind, other)) queue.wake(alike);
  }

  return {
    roomAt,
    freed(slot, gone) {
      if (queue.stuck.size === 0) return;
      roomAt(slot);
      around(gone);
      // Its anti-affinity kept others from a whole zone, perhaps.
      if (gone.traits.antiAffinity.length === 0) return;
      for (const [kind, alike] of queue.stuck) {
        for (const { holder } of kind.selectedBy) if (holder === gone) queue.wake(alike);
      }
    },
    placed: around,
    turned(slot, before, after) {
      roomAt(slot);
      around(before);
      around(after);
      // Whom its anti-affinity kept off is not known any more.
      if (before.traits.antiAffinity.length > 0) for (const alike of queue.stuck.values()) queue.wake(alike);
    },
    nodesChanged() {
      for (const [kind, alike] of queue.stuck) if (looksAround(kind)) queue.wake(alike);
    },
    changed(entry) {
      for (const alike of queue.stuck.values()) for (const pod of alike) if (pod.entry === entry) queue.wake([pod]);
    },
    claimChanged({ metadata }) {
      for (const alike of queue.stuck.values()) {
        const mine = (pod: QueuedPod) =>
          pod.entry.pod.metadata.namespace === metadata.namespace && pod.entry.claims.includes(metadata.name);
        queue.wake([...alike].filter(mine));
      }
    },
    volumesChanged() {
      for (const alike of queue.stuck.values()) queue.wake([...alike].filter(({ entry }) => entry.claims.length > 0));
    },
  };
}
